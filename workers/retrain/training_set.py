"""Training sets: the base set and what people said since, as a folder that a training reads.

A set's manifest names what it was made from, so that it can be made again, byte by byte, for as long as the base set
and the verdicts' products are there.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from infra.forgotten import Forgotten
from infra.images import ImageStore
from infra.store import TRAINING_SETS, Store
from model.bundle import Labels
from model.data.labelled import LabelledData, load_labelled
from schemas.taxonomy import Taxonomy
from workers.retrain.authors import AuthorRules, set_aside
from workers.retrain.base_set import BaseSet, open_base
from workers.retrain.set_choice import choose, left_out
from workers.retrain.set_errors import SetChanged
from workers.retrain.set_files import MANIFEST, joined
from workers.retrain.set_forgotten import take_out
from workers.retrain.set_manifest import SetManifest, UsedVerdict, find_set, read_set_manifest, set_folders
from workers.retrain.set_rows import IMAGES, ROWS, TAXONOMY, SetRow, digest_of, read_rows
from workers.retrain.set_write import write_set
from workers.retrain.verdict_rows import Log, read_log

SEED: Final = 0
"""Of the sample of old rows: with one seed the sample of one training has the rows of the one before."""

KEPT: Final = 10
"""Sets whose rows stay on disk."""


class SetRules(AuthorRules, Protocol):
    """What is taken into a set; the settings of these names say what they are."""

    taxonomy: Path | None


@dataclass(frozen=True)
class TrainingSet:
    """A training set on disk."""

    folder: Path

    @property
    def version(self) -> str:
        """Its name, by its content."""
        return self.folder.name

    @cached_property
    def manifest(self) -> SetManifest:
        """What it says of itself."""
        return read_set_manifest(self.folder)

    @cached_property
    def _sides(self) -> NDArray[np.str_]:
        return np.array([row.side for row in read_rows(self.folder / ROWS)])

    @property
    def golden(self) -> NDArray[np.bool_]:
        """Which of its rows only ever measure."""
        return np.equal(self._sides, "golden")

    @property
    def verdicts(self) -> NDArray[np.bool_]:
        """Which of its rows people's verdicts made."""
        return np.equal(self._sides, "verdict")

    def load(self) -> LabelledData:
        """Its rows, in the order of `golden`.

        Raises:
            SetChanged: They are not what was written, or some were forgotten by request.
        """
        self.manifest.check_whole()
        data = load_labelled(self.folder / ROWS, taxonomy=Taxonomy.from_csv(self.folder / TAXONOMY))
        if data.sha256 != self.manifest.data_sha256 or len(data) != self.manifest.rows:
            raise SetChanged(
                f"The rows of the training set {self.version} are not what was written.",
                hint=f"Remove {self.folder / ROWS}, then `aisle retrain rebuild {self.version}`.",
            )
        return data


def open_set(sets: Path, version: str) -> TrainingSet:
    """A training set by its version, or as much of its beginning as no other has.

    Raises:
        SetUnknown: It is not there.
    """
    return TrainingSet(find_set(sets, version))


async def build_set(store: Store, images: ImageStore, sets: Path, base: BaseSet, rules: SetRules) -> TrainingSet:
    """Make a training set of the base set and of what people have said by now.

    Args:
        store: Where verdicts and items are; the set's manifest is put on record there, without its long lists.
        images: Where photos are.
        sets: The folder of sets.
        base: The base set.
        rules: Whose verdicts count, and which categories there are beside the base set's.

    Raises:
        StoreUnavailable: The store is away.
        TaxonomyInvalid: The taxonomy that is set cannot be used.
        OSError: The disk is full or not writable.
    """
    made = await _made(store, images, sets, base, rules)
    document: dict[str, Any] = made.manifest.document()
    with store.named_errors():
        await store.collection(TRAINING_SETS).update_one(
            {"_id": made.version}, {"$setOnInsert": document | {"at": datetime.now(UTC)}}, upsert=True
        )
    return made


async def _made(store: Store, images: ImageStore, sets: Path, base: BaseSet, rules: SetRules) -> TrainingSet:
    """A set without rows that were forgotten by request while it was made: it would be the last to have them."""
    forgotten = Forgotten(store)
    await forgotten.refresh()
    while True:
        read = await read_log(store)
        log = Log([one for one in read.documents if not forgotten.knows_event(one["event_id"])], read.items)
        made = await asyncio.to_thread(make_set, log, images, sets, base, rules)
        await forgotten.refresh()
        erased = {one["_id"] for one in log.documents if forgotten.knows_event(one["event_id"])}
        if not (used := [one.feedback_id for one in made.manifest.verdicts if one.feedback_id in erased]):
            return made
        await asyncio.to_thread(take_out, made.folder, used)


def make_set(log: Log, images: ImageStore, sets: Path, base: BaseSet, rules: SetRules) -> TrainingSet:
    """The same, of verdicts that were read; see `build_set`."""
    taxonomy = joined(base.taxonomy, None if rules.taxonomy is None else Taxonomy.from_csv(rules.taxonomy))
    aside = set_aside(log.said(), base.rows, rules, SEED)
    authors = {one.who for one in aside if one.kind == "author"}
    ids = {name for one in aside if one.kind == "categories" for name in one.feedback_ids}
    chosen = choose(log.said(authors, ids), base.rows, taxonomy, images)
    gone = left_out(base.rows, chosen, SEED)
    rows = [*_without(base.rows, gone), *chosen.rows]
    manifest = SetManifest(
        base=base.version,
        base_sha256=base.manifest.data_sha256,
        data_sha256=digest_of(rows),
        golden_sha256=digest_of(row for row in rows if row.side == "golden"),
        taxonomy=[Labels.of(shelf) for shelf in taxonomy],
        seed=SEED,
        rows=len(rows),
        counts=_counts(rows),
        left_out=gone,
        verdicts=[_used(row) for row in chosen.rows],
        rejected=chosen.rejected,
        set_aside=aside,
        disputed=chosen.disputed,
        outside=chosen.outside,
        repeats=chosen.repeats,
        without_content=chosen.without_content,
        joining=chosen.joining,
        waiting=log.waiting,
    )
    folder = sets / manifest.version
    if not (folder / ROWS).is_file():
        write_set(folder, rows, manifest, images, strict=False)
    (folder / MANIFEST).touch()  # the newest again, if it was there
    _tidy(sets)
    return TrainingSet(folder)


async def rebuild(store: Store, images: ImageStore, sets: Path, version: str) -> TrainingSet:
    """Make a training set again from its manifest, the base set, and the verdicts that it names.

    Raises:
        SetUnknown: There is no such set.
        BaseMissing: Its base set is gone.
        SetChanged: A verdict or a product is gone, says something else, or was forgotten by request.
        StoreUnavailable: The store is away.
    """
    made = open_set(sets, version)
    made.manifest.check_whole()
    log = await read_log(store)
    await asyncio.to_thread(_again, made, log, images, open_base(sets, made.manifest.base))
    marked = read_set_manifest(made.folder)
    if marked.forgotten:  # meanwhile, and by who saw no rows to take out
        await asyncio.to_thread(take_out, made.folder, marked.forgotten)
        marked.check_whole()
    return made


def _again(made: TrainingSet, log: Log, images: ImageStore, base: BaseSet) -> None:
    manifest = made.manifest
    found = [(used, log.product_of(used.feedback_id)) for used in manifest.verdicts]
    if missing := [used.feedback_id for used, product in found if product is None]:
        raise SetChanged(
            f"{len(missing):,} of {len(found):,} verdicts of the training set {made.version}, or their products, are "
            f"gone: {missing[0]}" + (" and others." if len(missing) > 1 else "."),
            hint="What was forgotten by request cannot be made again; train on a new set.",
        )
    said = [_row(used, product) for used, product in found if product is not None]
    rows = [*_without(base.rows, manifest.left_out), *said]
    if digest_of(rows) != manifest.data_sha256:
        raise SetChanged(f"What the training set {made.version} was made from says something else by now.")
    write_set(made.folder, rows, manifest, images, strict=True)


def _tidy(sets: Path) -> None:
    """Of old sets only the manifests stay, which they are made again from: each has all rows of the base set."""
    for folder in set_folders(sets)[KEPT:]:
        (folder / ROWS).unlink(missing_ok=True)
        shutil.rmtree(folder / IMAGES, ignore_errors=True)


def _without(rows: Sequence[SetRow], gone: Sequence[int]) -> list[SetRow]:
    out = set(gone)
    return [row for number, row in enumerate(rows) if number not in out]


def _counts(rows: Sequence[SetRow]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row.side, Counter())[row.category] += 1
    return {side: dict(sorted(codes.items())) for side, codes in sorted(found.items())}


def _used(row: SetRow) -> UsedVerdict:
    return UsedVerdict(feedback_id=row.feedback_id or "", code=row.category, photo=row.photo)


def _row(used: UsedVerdict, product: dict[str, Any]) -> SetRow:
    texts = product.get("title"), product.get("description")
    return SetRow(*texts, used.code, used.photo, used.photo, "verdict", used.feedback_id)
