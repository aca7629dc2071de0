"""``aisle train``: from a file of labelled products to a model in service."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from scripts.columns import column_options
from scripts.train_options import options_of, parameter_options, print_defaults

if TYPE_CHECKING:
    from infra.settings import Settings
    from model.checkpoint import Checkpoint
    from model.data.labelled import LabelledData
    from model.parameters import TrainOptions
    from model.training import Trained
    from schemas.model_event import ModelEvent
    from workers.promotion import InForce

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("data", type=_PATH)
@click.option("--config", type=_PATH, help="TOML file of parameters; other options go before it.")
@click.option(
    "--write-config", is_flag=True, is_eager=True, callback=print_defaults, help="Print such a file and exit."
)
@column_options
@parameter_options
@click.option("--from", "start", type=_PATH, help="A bundle whose weights to begin with: it takes less time.")
@click.option("--quick", is_flag=True, help="Keep what was decided of that one: its stages and thresholds.")
@click.option("--no-promote", is_flag=True, help="Leave the champion as it is.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(  # noqa: PLR0913 - click hands over one argument an option
    context: click.Context,
    /,
    *,
    data: Path,
    config: Path | None,
    start: Path | None,
    quick: bool,
    no_promote: bool,
    as_json: bool,
    **_: object,
) -> None:
    """Train a model on DATA and put it in service.

    DATA is CSV, JSONL or Parquet with a title and a category column, or the
    folder with the challenge's X_train_update.csv and Y_train_CVw08PX.csv.
    Photos that its rows name are read below the folder it lies in.

    A training that was stopped goes on when the same command is given again.
    """
    from infra.settings import load_settings
    from model.errors import PromotionRefused
    from scripts.output import print_json
    from workers.promotion import look_up
    from workers.registry import recorded

    settings = load_settings()
    models_dir = settings.data_dir / "models"
    options = options_of(context, config)
    if quick and start is None:
        raise click.UsageError("--quick needs a bundle to begin with: --from BUNDLE.")
    _tell_of_retraining(settings)
    before = None if no_promote else look_up(settings).event
    trained, rows = _train(data, models_dir, options, start, quick=quick)
    for message in (*rows.problems.messages, *trained.notes):
        click.echo(message, err=True)
    _keep_base(data, rows, trained, options, settings)
    now, refused = None, None
    if not no_promote:
        try:
            now = _promote(settings, trained.bundle, before, f"trained on {data.name} with seed {options.seed}")
        except PromotionRefused as error:  # the model is there all the same
            refused = error
    if as_json:
        comparisons = [comparison.model_dump() for comparison in trained.report.comparisons]
        manifest = trained.manifest.model_dump(exclude=_LONG)
        print_json({"bundle": trained.bundle, "promoted": now is not None, "comparisons": comparisons, **manifest})
    else:
        _show(trained, promoted=now is not None)
    if (unrecorded := recorded(settings, now)) is not None:
        _say(unrecorded)
    if refused is not None:
        raise refused


def _promote(settings: "Settings", bundle: Path, before: "ModelEvent | None", why: str) -> "InForce":
    """Put a model in service in the place of the one that was there when its training began, and of no other.

    Raises:
        PromotionRefused: Another was put in service meanwhile, such as by a retraining, from which people's
            corrections would be gone.
    """
    from model.errors import PromotionRefused
    from workers.promotion import promote_bundle

    expected = before.model.version if before else None
    try:
        return promote_bundle(settings, bundle, by="aisle train", why=why, expected=expected)
    except PromotionRefused as error:
        hint = f"Somebody decided meanwhile: see `aisle models list`, and `aisle models promote {bundle.name}`."
        raise PromotionRefused(error.message, hint=hint) from error


def _tell_of_retraining(settings: "Settings") -> None:
    from infra.local.lock import TRAINING, DirLock

    if DirLock(settings.data_dir, TRAINING).is_held:
        _say("a retraining runs beside this: both take longer, and the one that ends first goes into service")


def _keep_base(
    data: Path, rows: "LabelledData", trained: "Trained", options: "TrainOptions", settings: "Settings"
) -> None:
    """Keep what the model was trained on, so that it can learn on from what people say."""
    from infra.images import ImageStore
    from schemas.errors import AisleError
    from workers.retrain.base_set import keep_base
    from workers.retrain.set_files import sets_dir

    folders = sets_dir(settings.data_dir), ImageStore(settings.data_dir / "images")
    try:
        keep_base(data, options.columns.columns(), rows, trained.bundle, *folders)
    except (AisleError, OSError) as error:  # the model is whole without it
        _say(f"{data} was not kept, so the model cannot learn from feedback: {error}")


_LONG = {"files", "golden", "categories", "prior", "pools"}


def _train(
    data: Path, models_dir: Path, options: "TrainOptions", start: Path | None, *, quick: bool
) -> "tuple[Trained, LabelledData]":
    from model.checkpoint import Checkpoint
    from model.data.labelled import check_learnable, load_labelled
    from schemas.taxonomy import Taxonomy
    from scripts.invocation import invocation
    from scripts.steps import steps_shown

    taxonomy = None if options.taxonomy is None else Taxonomy.from_csv(options.taxonomy)
    champion = _champion(models_dir)
    with stoppable(), steps_shown() as told:
        rows = load_labelled(data, options.columns.columns(), taxonomy, lambda part: told("reading", part))
        check_learnable(rows)  # before the seconds that TensorFlow takes
        told("loading TensorFlow", 0.0)
        from model.training import train

        told("loading TensorFlow", 1.0)
        with Checkpoint.open(models_dir.parent / "checkpoints", rows, options, start) as checkpoint:
            _tell(checkpoint)
            try:
                trained = train(
                    *(rows, models_dir, options, told, invocation("aisle train")),
                    checkpoint=checkpoint,
                    start=start,
                    quick=quick,
                    champion=champion,
                )
            except (KeyboardInterrupt, SystemExit):
                if checkpoint.finished:
                    _say(f"stopped; kept {_fits(checkpoint)}: the same command goes on from there")
                raise
    return trained, rows


def _champion(models_dir: Path) -> Path | None:
    """The champion's bundle; None where there is none that can be found."""
    from model.champion import find_bundle
    from schemas.errors import AisleError

    try:
        return find_bundle(None, models_dir)
    except AisleError:
        return None


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM ends what goes on as Ctrl-C does, so that nothing half-made is left behind."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(checkpoint: "Checkpoint") -> None:
    for what in checkpoint.stale:
        _say(what)
    if checkpoint.finished:
        _say(f"going on with a training that was stopped, after {_fits(checkpoint)}")


def _fits(checkpoint: "Checkpoint") -> str:
    return f"{checkpoint.finished} finished fit{'s' if checkpoint.finished > 1 else ''}"


def _say(text: str) -> None:
    click.echo(text, err=True)


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
    for one in trained.report.comparisons:
        between = one.weighted_f1_difference
        click.echo(
            f"  beside {one.name} ({one.kind}): weighted F1 {one.weighted_f1:.3f} → {one.own_weighted_f1:.3f} "
            f"on {one.rows:,} rows ({between.low:+.3f} to {between.high:+.3f})"
        )
    for stage in manifest.tried:
        click.echo(f"  stage {stage.name}: {'kept' if stage.kept else 'left out'}, {stage.why}")
    click.echo(f"  bundle  {trained.bundle}\n  report  {trained.bundle / 'report' / 'report.html'}")
