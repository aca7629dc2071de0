"""The parameters of a training as options of ``aisle train``, and as a file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from model.parameters import TrainOptions

_PATH = click.Path(path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def print_defaults(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Print a file of parameters and end, for an option that asks for it."""
    if wanted:
        from model.parameters import TrainOptions, as_toml

        click.echo(as_toml(TrainOptions(), "Parameters of a training, for `aisle train DATA --config FILE`."), nl=False)
        context.exit()


def parameter_options(command: _Command) -> _Command:
    """The options that a file of parameters may have too, named as `model.parameters.nested` takes them."""
    for option in reversed(
        (
            click.option("--taxonomy", type=_PATH, help="CSV of codes and labels; every category must be in it."),
            click.option("--name", default="aisle", show_default=True, help="What the model is called."),
            click.option(
                "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of split and solver."
            ),
            click.option(
                "--test-share",
                type=click.FloatRange(0.01, 0.5),
                default=0.2,
                show_default=True,
                help="Part of the rows that only measures.",
            ),
            click.option(
                "--auto-accept-precision",
                type=click.FloatRange(0.5, 1.0),
                default=0.95,
                show_default=True,
                help="Share of right answers among those that need no review.",
            ),
            click.option("--baseline/--no-baseline", help="Measure TF-IDF + LinearSVC beside it, for the report."),
            click.option("--photos/--no-photos", default=True, show_default=True, help="Learn from photos too."),
            click.option("--photo-weights", type=_PATH, help="Pretrained MobileNetV3-Small weights, in Keras' format."),
            click.option("--encoder/--no-encoder", help="Try a text encoder too: minutes to hours."),
            click.option(
                "--encoder-from",
                "encoder_directory",
                type=_PATH,
                help="The Hugging Face directory it begins with; else from scratch.",
            ),
            click.option(
                "--encoder-frozen/--no-encoder-frozen", help="Leave that as it is; fit only what tells the categories."
            ),
            click.option(
                "--encoder-pretraining", type=click.IntRange(0, 1_000), default=0, help="Passes of guessing words."
            ),
            click.option("--encoder-teacher", type=_PATH, help="Directory of a bigger encoder to learn from."),
            click.option("--encoder-catalogue", type=_PATH, help="Further products for these two, without categories."),
        )
    ):
        command = option(command)
    return command


def options_of(context: click.Context, config: Path | None) -> "TrainOptions":
    """What the command line says, over what the file says, over the defaults."""
    from click.core import ParameterSource

    from model.parameters import TrainOptions, nested, parameters

    known = TrainOptions().flat()
    given = {
        name: value
        for name, value in context.params.items()
        if name in known and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if "encoder_directory" in given:
        given.setdefault("encoder", True)
    return parameters(nested(given), config)
