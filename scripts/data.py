"""``aisle data``: make a catalogue to play with, look through a data file, cut it into parts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.columns import column_options, columns_of
from scripts.forget import forget

if TYPE_CHECKING:
    from infra.settings import Settings

_PATH = click.Path(path_type=Path)
_PART = click.FloatRange(0, 1)
_SHARE = click.FloatRange(0.0, 0.5)
_SEED = click.IntRange(0, 2**32 - 1)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
force_option = click.option("--force", is_flag=True, help="Replace what is there.")


@click.group()
def command() -> None:
    """Make, check and split data files; forget products.

    A data file is CSV, JSONL or Parquet, by its suffix.
    """


command.add_command(forget)


@command.command()
@click.argument("file", type=_PATH)
@click.option("--rows", type=click.IntRange(1), default=10_000, show_default=True, help="How many products.")
@click.option("--seed", type=_SEED, default=0, show_default=True, help="The same seed makes the same products.")
@click.option("--photos", is_flag=True, help="With photos, in a folder beside FILE.")
@click.option("--drift", type=_PART, default=0.0, show_default=True, help="Part of the rows from a changed world.")
@click.option("--label-noise", type=_PART, default=0.02, show_default=True, help="Part with a wrong category.")
@click.option("--missing-photos", type=_PART, default=0.0, show_default=True, help="Part of the rows without a photo.")
@click.option("--broken-photos", type=_PART, default=0.0, show_default=True, help="Part with a photo that is broken.")
@force_option
@json_option
def make(  # noqa: PLR0913 - click hands over one argument an option
    *,
    file: Path,
    rows: int,
    seed: int,
    photos: bool,
    drift: float,
    label_noise: float,
    missing_photos: float,
    broken_photos: float,
    force: bool,
    as_json: bool,
) -> None:
    """Make FILE, a catalogue of products that do not exist.

    They are of the 27 built-in categories: titles and HTML descriptions,
    mostly French, some English and German, as messy as real ones. A row
    depends on the seed and its place alone, so more rows keep the first.
    """
    from model.synthetic.catalogue import Catalogue
    from model.synthetic.export import write_catalogue
    from scripts.output import print_json
    from scripts.progress import progress_bar

    catalogue = Catalogue(
        seed=seed,
        drift=drift,
        label_noise=label_noise,
        photos=photos,
        missing_photos=missing_photos,
        broken_photos=broken_photos,
    )
    with progress_bar("making", rows) as done:
        made = write_catalogue(catalogue, file, rows, force=force, progress=done)
    if as_json:
        print_json({"file": file, "seed": seed, "rows": made.rows, "photos": made.photos, "folder": made.photo_folder})
        return
    click.echo(f"{file}: {made.rows:,} products, seed {seed}")
    if made.photo_folder is not None:
        click.echo(f"{made.photo_folder}: {made.photos:,} photos")


@command.command()
@click.argument("files", metavar="FILE...", type=_PATH, nargs=-1, required=True)
@column_options
@click.option("--picture", type=_PATH, help="Where to draw it; default: checks/ below AISLE_DATA_DIR.")
@click.option("--no-picture", is_flag=True, help="Draw none.")
@click.option("--strict", is_flag=True, help="Exit with 1 when something was found.")
@json_option
def check(
    *,
    files: tuple[Path, ...],
    picture: Path | None,
    no_picture: bool,
    strict: bool,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Look through FILEs: what is in them, and what is wrong.

    Counts categories, languages, lengths, missing parts, duplicates, titles in
    several categories and photos that are missing or broken. Several FILEs
    are taken for parts of one set: titles that stand in two are leaks.
    """
    from infra.settings import load_settings
    from model.data.check import check_files
    from scripts.output import print_json
    from scripts.steps import steps_shown

    with steps_shown() as told:
        checked = check_files(files, columns_of(columns), lambda path, part: told(f"reading {path.name}", part))
        if not no_picture:
            from model.data.check_picture import draw_check

            picture = picture or _picture_path(load_settings(), files)
            told("drawing", 0.0)
            draw_check(checked, picture)
    if as_json:
        print_json({**checked.model_dump(), "picture": None if no_picture else picture})
    else:
        from scripts.data_view import show_check

        show_check(checked)
        if not no_picture:
            click.echo(f"\npicture  {picture}")
    if strict and checked.findings:
        sys.exit(1)


def _picture_path(settings: "Settings", files: tuple[Path, ...]) -> Path:
    """Among aisle's own data: a check leaves the folder that it looks at as it was."""
    return settings.data_dir / "checks" / f"{'-'.join(path.stem or path.name for path in files)[:100]}.png"


@command.command()
@click.argument("file", type=_PATH)
@column_options
@click.option("--out", metavar="DIR", type=_PATH, required=True, help="Folder for the parts.")
@click.option("--seed", type=_SEED, default=0, show_default=True, help="Of the shuffle.")
@click.option("--validation-share", type=_SHARE, default=0.1, show_default=True, help="Part of each category.")
@click.option("--test-share", type=_SHARE, default=0.15, show_default=True, help="Part of each category.")
@click.option("--unseen-share", type=_SHARE, default=0.1, show_default=True, help="Part to play a stream with.")
@force_option
@json_option
def split(  # noqa: PLR0913 - click hands over one argument an option
    *,
    file: Path,
    out: Path,
    seed: int,
    validation_share: float,
    test_share: float,
    unseen_share: float,
    force: bool,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Cut FILE into train, validation, test and unseen.

    Rows with the same title go to one part, and each category has its share
    in every part. Columns stay as they are; photos are linked into DIR.
    """
    from model.data.parts import PartOptions, split_file
    from scripts.data_view import show_parts
    from scripts.output import print_json
    from scripts.steps import steps_shown

    options = PartOptions(validation=validation_share, test=test_share, unseen=unseen_share, seed=seed)
    with steps_shown() as told:
        parts = split_file(
            file,
            out,
            options=options,
            columns=columns_of(columns),
            force=force,
            progress=lambda part: told("splitting", part),
        )
    for message in parts.problems.messages:
        click.echo(f"passed over: {message}", err=True)
    if as_json:
        counts = {
            part: {"file": parts.files[part], "rows": rows.total(), "categories": rows}
            for part, rows in parts.rows.items()
        }
        print_json({"parts": counts, "photos": parts.photos, "seed": seed})
    else:
        show_parts(parts)
