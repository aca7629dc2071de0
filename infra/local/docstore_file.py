"""The embedded store's file: opened so that a kill leaves it readable, and put right after one.

A collection's documents and its index of ids are two maps of the file, and a commit may fall between the
writes to them. The documents are the truth: after a kill the index of ids is made to agree with them. Other
unique indexes are dropped; the backend builds those that it finds empty anew.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

FILE: Final = "store.mv"

_CLOSED: Final = "store.closed"
_DATA: Final = "databases."
_INDEX: Final = "._index_"
_ID_INDEX: Final = "._index__id_"
_RETENTION_MS: Final = 600_000
# Of H2's error codes, those that do not speak of damage: writing failed, a newer format, locked by another process.
_NO_DAMAGE: Final = frozenset({2, 5, 7})


class StoreFile:
    """The file of a store, and a mark beside it while it is closed in good order.

    Args:
        folder: Where it is.
        java: The ``jpype`` module, its runtime started.
    """

    def __init__(self, folder: Path, java: Any) -> None:
        self._path = folder / FILE
        self._closed = folder / _CLOSED
        self._java = java

    def open(self) -> Any:
        """A backend on the file, which is read in full first if it was not closed in good order.

        A file that cannot be read is set aside, and an empty one takes its place.
        """
        unclean = self._path.exists() and not self._closed.exists()
        self._closed.unlink(missing_ok=True)
        try:
            return self._open(repair=unclean)
        except self._java.JClass("java.lang.Exception") as error:
            if not self._is_damage(error):
                raise
            aside = self._path.with_name(f"{FILE}.broken-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
            self._path.rename(aside)
            _say(
                f"The document store's file cannot be read ({error}). It was renamed to {aside}; an empty store "
                "takes its place. aisle can fill items again from the topics, as far back as they are kept: stop "
                "it, let only the broker run, and reset the group: kafka-consumer-groups --bootstrap-server "
                "HOST:PORT --group aisle-archive --all-topics --reset-offsets --to-earliest --execute"
            )
            return self._open(repair=False)

    def mark_closed(self) -> None:
        """Note that the backend has closed the file."""
        self._closed.touch()

    def _open(self, *, repair: bool) -> Any:
        java = self._java
        builder = java.JClass("org.h2.mvstore.MVStore$Builder")()
        # No page is moved, and no space used again for long: what a commit points to stays where it is.
        store = builder.fileName(str(self._path)).autoCompactFillRate(0).open()
        try:
            store.setRetentionTime(_RETENTION_MS)
            drift = self._read_through(store) if repair else {}
            backend = java.JClass("de.bwaldvogel.mongo.backend.h2.H2Backend")(store)
            for name, (lost, left_over) in drift.items():
                self._mend(store, backend, name, lost, left_over)
            store.commit()
        except java.JException:
            store.closeImmediately()
            raise
        return backend

    def _read_through(self, store: Any) -> dict[str, tuple[Any, Any]]:
        """Read every map; for each collection, which ids its index lacks and which it has too many.

        To go through the keys reads the documents too: a page holds both.
        """
        _say("The document store was not stopped in good order: reading it through.")
        java = self._java
        hash_set = java.JClass("java.util.HashSet")
        counting = java.JClass("java.util.stream.Collectors").counting
        drift = {}
        names = [str(name) for name in store.getMapNames()]
        for name in names:
            if _INDEX in name and not name.endswith(_ID_INDEX):
                store.removeMap(name)
                continue
            data = _DATA + name.removesuffix(_ID_INDEX)
            if name.endswith(_ID_INDEX) and data in names and not store.openMap(name).isEmpty():
                indexed, there = hash_set(store.openMap(name).values()), hash_set(store.openMap(data).keySet())
                lost = hash_set(there)
                lost.removeAll(indexed)
                indexed.removeAll(there)
                drift[name.removesuffix(_ID_INDEX)] = lost, indexed
            elif not (name.startswith(_DATA) and name.removeprefix(_DATA) + _ID_INDEX in names):
                store.openMap(name).entrySet().stream().collect(counting())
        return drift

    def _mend(self, store: Any, backend: Any, name: str, lost: Any, left_over: Any) -> None:
        if not len(lost) + len(left_over):
            return
        _say(f"Index of {name}: adding {len(lost)} ids, dropping {len(left_over)} that have no document.")
        database, _, short = name.partition(".")
        collection = backend.resolveDatabase(self._java.JString(database)).resolveCollection(short, False)
        if collection is None:  # made in the very last second; its index is built when it is made again
            store.removeMap(name + _ID_INDEX)
            return
        document = self._java.JClass("de.bwaldvogel.mongo.bson.Document")
        (index,) = (each for each in collection.getIndexes() if str(each.getName()) == "_id_")
        for key in left_over:
            index.remove(document("_id", key))
        data = store.openMap(_DATA + name)
        for key in lost:
            index.add(data.get(key), key, collection)

    def _is_damage(self, error: Any) -> bool:
        kind = self._java.JClass("org.h2.mvstore.MVStoreException")
        return not (isinstance(error, kind) and int(error.getErrorCode()) in _NO_DAMAGE)


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}", file=sys.stderr, flush=True)
