"""A registry whose data directory was moved: MLflow keeps absolute places, and has no call that changes them.

Relative ones it would take from wherever a process was started, and ``mlflow-artifacts:`` only from a server. So the
places in the SQLite file are written anew, in the columns that have been MLflow's since its release 1.0 (or are passed
over where they are not there).
"""

import sqlite3
from contextlib import closing
from typing import Final

from model.registry.opened import Place

_PLACES: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("tags", "value"),
    ("model_version_tags", "value"),
)


def follow_move(place: Place, experiment: str) -> str | None:
    """Write the places in a registry's file anew if the data directory is another by now.

    Args:
        place: The registry; of a server nothing is changed.
        experiment: Name of one whose artifacts lie below the data directory.

    Returns:
        Where the data directory was before; None where it is in its place.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    file = place.folder / "mlflow.db"
    if place.artifacts is None or not file.is_file():
        return None
    own = f"/{place.folder.name}/artifacts/{experiment}"
    with closing(sqlite3.connect(file, timeout=20)) as database, database:
        if not _has(database, "experiments", "artifact_location"):
            return None
        found = database.execute("SELECT artifact_location FROM experiments WHERE name = ?", (experiment,)).fetchone()
        before, now = "" if found is None else str(found[0]), f"{place.artifacts}/{experiment}"
        if before == now or not before.endswith(own):
            return None
        old, new = before.removesuffix(own), now.removesuffix(own)
        for table, column in _PLACES:
            if _has(database, table, column):
                database.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608 - names of ours
                    (new, len(old) + 1, len(old) + 1, f"{old}/"),
                )
    return old


def _has(database: sqlite3.Connection, table: str, column: str) -> bool:
    names = [row[1] for row in database.execute("SELECT * FROM pragma_table_info(?)", (table,))]
    return column in names
