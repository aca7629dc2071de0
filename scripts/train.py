"""``aisle train``: from a file of labelled products to a model in service."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.columns import column_options, columns_of

if TYPE_CHECKING:
    from model.training import Trained

_PATH = click.Path(path_type=Path)
_SHARE = click.FloatRange(0.01, 0.5)


@click.command()
@click.argument("data", type=_PATH)
@column_options
@click.option("--taxonomy", type=_PATH, help="CSV of codes and labels; every category must be in it.")
@click.option("--name", default="aisle", show_default=True, help="What the model is called.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of split and solver.")
@click.option("--test-share", type=_SHARE, default=0.2, show_default=True, help="Part of the rows that only measures.")
@click.option(
    "--auto-accept-precision",
    type=click.FloatRange(0.5, 1.0),
    default=0.95,
    show_default=True,
    help="Share of right answers among those that need no review.",
)
@click.option("--no-photos", is_flag=True, help="Learn from texts alone.")
@click.option("--photo-weights", type=_PATH, help="Pretrained MobileNetV3-Small weights, in Keras' format.")
@click.option("--encoder", is_flag=True, help="Try a text encoder too: minutes to hours.")
@click.option("--encoder-from", type=_PATH, help="The Hugging Face directory it begins with; else from scratch.")
@click.option("--encoder-frozen", is_flag=True, help="Leave that as it is; fit only what tells the categories.")
@click.option("--no-promote", is_flag=True, help="Leave the champion as it is.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913 - click hands over one argument an option
    *,
    data: Path,
    taxonomy: Path | None,
    name: str,
    seed: int,
    test_share: float,
    auto_accept_precision: float,
    no_photos: bool,
    photo_weights: Path | None,
    encoder: bool,
    encoder_from: Path | None,
    encoder_frozen: bool,
    no_promote: bool,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Train a model on DATA and put it in service.

    DATA is CSV, JSONL or Parquet with a title and a category column, or the
    folder with the challenge's X_train_update.csv and Y_train_CVw08PX.csv.
    Photos that its rows name are read below the folder it lies in.
    """
    from infra.settings import load_settings
    from model.champion import promote
    from model.data.labelled import check_learnable, load_labelled
    from model.kinds import Wanted
    from schemas.taxonomy import Taxonomy
    from scripts.invocation import invocation
    from scripts.output import print_json
    from scripts.steps import steps_shown

    models_dir = load_settings().data_dir / "models"
    given = None if taxonomy is None else Taxonomy.from_csv(taxonomy)
    with steps_shown() as told:
        rows = load_labelled(data, columns_of(columns), given, lambda part: told("reading", part))
        check_learnable(rows)  # before the seconds that TensorFlow takes
        told("loading TensorFlow", 0.0)
        from model.training import TrainOptions, train

        told("loading TensorFlow", 1.0)
        wanted = Wanted(
            photos=not no_photos,
            photo_weights=photo_weights,
            encoder=encoder or encoder_from is not None,
            encoder_directory=encoder_from,
            encoder_frozen=encoder_frozen,
        )
        options = TrainOptions(seed, test_share, auto_accept_precision, name, wanted)
        trained = train(rows, models_dir, options, told, invocation("aisle train"))
    for message in rows.problems.messages:
        click.echo(f"passed over: {message}", err=True)
    if not no_promote:
        promote(models_dir, trained.bundle, by="aisle train", why=f"trained on {data.name} with seed {seed}")
    if as_json:
        print_json({"bundle": trained.bundle, "promoted": not no_promote, **trained.manifest.model_dump(exclude=_LONG)})
    else:
        _show(trained, promoted=not no_promote)


_LONG = {"files", "golden", "categories", "prior", "pools"}


def _show(trained: "Trained", *, promoted: bool) -> None:
    manifest, scores = trained.manifest, trained.evaluation
    data = manifest.data
    click.echo(f"{manifest.name} {manifest.version}{', now the champion' if promoted else ''}")
    click.echo(
        f"  {data.rows:,} rows in {len(manifest.categories)} categories, seed {manifest.seed}: "
        f"{data.train:,} to train, {data.test:,} to test"
    )
    click.echo(
        f"  accuracy {scores.accuracy:.3f}, weighted F1 {scores.weighted_f1:.3f}, "
        f"macro F1 {scores.macro_f1:.3f}, calibration error {scores.ece:.3f}"
    )
    click.echo(
        f"  {scores.accepted_share:.0%} of the test rows need no review, {scores.accepted_precision:.1%} of them right"
    )
    for one in manifest.tried:
        click.echo(f"  stage {one.name}: {'kept' if one.kept else 'left out'}, {one.why}")
    click.echo(f"  bundle  {trained.bundle}\n  report  {trained.bundle / 'report' / 'report.html'}")
