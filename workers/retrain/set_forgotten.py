"""Taking rows out of training sets, by request: the file loses them, and the manifest says so for good."""

import os
from collections.abc import Collection
from pathlib import Path

from pymongo import UpdateOne

from infra.store import TRAINING_SETS, Store
from workers.retrain.set_files import MANIFEST, write_whole
from workers.retrain.set_manifest import SetManifest, read_set_manifest, set_folders
from workers.retrain.set_rows import IMAGES, ROWS, SetRow, read_rows, write_rows


def sets_with(sets: Path, feedback_ids: Collection[str]) -> dict[Path, list[str]]:
    """The sets here that have rows of these verdicts, each with the verdicts, those marked before among them."""
    wanted, found = set(feedback_ids), {}
    for folder in set_folders(sets):
        if used := [one.feedback_id for one in read_set_manifest(folder).verdicts if one.feedback_id in wanted]:
            found[folder] = used
    return found


def take_out(folder: Path, feedback_ids: Collection[str]) -> SetManifest:
    """Take the rows of verdicts out of a set, with their photos; may be repeated.

    The mark comes first: a set that lacks rows and does not say so would be taken for one that was damaged.

    Raises:
        OSError: The folder cannot be written.
    """
    manifest = read_set_manifest(folder)
    gone = manifest.model_copy(update={"forgotten": sorted({*manifest.forgotten, *feedback_ids})})
    if gone != manifest:
        stood = (folder / MANIFEST).stat()
        write_whole(folder / MANIFEST, gone.model_dump_json(indent=1))
        os.utime(folder / MANIFEST, ns=(stood.st_atime_ns, stood.st_mtime_ns))  # by which sets are old or new
    if (folder / ROWS).is_file():
        _rewrite(folder, set(feedback_ids))
    return gone


async def mark(store: Store, manifests: Collection[SetManifest]) -> None:
    """Say the same on the record that the store has of each set.

    Raises:
        StoreUnavailable: The store is away.
    """
    counts = [(one.version, len(one.forgotten)) for one in manifests]
    await store.upsert(
        TRAINING_SETS, [UpdateOne({"_id": name}, {"$set": {"forgotten": count}}) for name, count in sorted(counts)]
    )


def _rewrite(folder: Path, feedback_ids: set[str]) -> None:
    kept, gone = list[SetRow](), list[SetRow]()
    for row in read_rows(folder / ROWS):
        (gone if row.feedback_id in feedback_ids else kept).append(row)
    if not gone:
        return
    shown = {row.image for row in kept}
    for row in gone:  # before the rows, by which they are found again if this is cut off
        if row.image is not None and row.image not in shown:
            (folder / IMAGES / row.image).unlink(missing_ok=True)
    part = folder / f".{ROWS}"
    write_rows(part, kept)
    part.replace(folder / ROWS)
