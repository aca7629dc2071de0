"""Collections as files: BSON documents one after another, gzipped, as `mongorestore --gzip` reads them too.

A collection's digest is the sum of the SHA-256 of its documents modulo 2^256: the same in any order, so that neither
side has to sort.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, cast

import bson
from bson.codec_options import CodecOptions
from pymongo import ReplaceOne, UpdateOne

from infra.backup.manifest import Collected
from infra.errors import BackupInvalid
from infra.scan import batches
from infra.store import LEASES, Document, Store

SUFFIX: Final = ".bson.gz"
LEFT_OUT: Final = frozenset({LEASES})
"""What only says which living process does something."""

_BATCH: Final = 500
_LEVEL: Final = 3
_LENGTH_BYTES: Final = 4
_MOST_BYTES: Final = 64 * 1024 * 1024
_OPTIONS: Final = CodecOptions[Document](tz_aware=True)


Change = Callable[[Document], ReplaceOne[Document] | UpdateOne]
"""How a document comes into a collection that may have one under its id."""


class Digest:
    """Counts documents, and sums up their hashes."""

    def __init__(self) -> None:
        self.documents = 0
        self._sum = 0

    def add(self, content: bytes) -> None:
        """Add a document, as BSON."""
        self.documents += 1
        self._sum = (self._sum + int.from_bytes(sha256(content).digest(), "big")) % (1 << 256)

    @property
    def result(self) -> Collected:
        """What was added."""
        return Collected(documents=self.documents, digest=f"{self._sum:064x}")


async def collections_of(store: Store) -> list[str]:
    """The collections that a backup has; the server's own are no one's to copy."""
    names = {name for name in await store.collection_names() if not name.startswith("system.")}
    return sorted(names - LEFT_OUT)


async def dump(store: Store, collection: str, path: Path) -> Collected:
    """Write a collection to a file.

    Raises:
        StoreUnavailable: The store is away.
        OSError: The disk is full or not writable.
    """
    digest = Digest()
    with gzip.GzipFile(path, "wb", compresslevel=_LEVEL, mtime=0) as file:
        async for some in batches(store, collection, {}, size=_BATCH):
            contents = [bson.encode(one) for one in some]
            for content in contents:
                digest.add(content)
            await asyncio.to_thread(file.write, b"".join(contents))
    return digest.result


async def digest_of(store: Store, collection: str, same: Path | None = None) -> Collected:
    """What a collection has now.

    Args:
        store: The store.
        collection: The collection's name.
        same: A file: what the collection has under the ids of its documents alone.
    """
    digest = Digest()
    async for query in _queries(same):
        async for some in batches(store, collection, query, size=_BATCH):
            for one in some:
                digest.add(bson.encode(one))
    return digest.result


async def _queries(file: Path | None) -> AsyncIterator[Document]:
    if file is None:
        yield {}
        return
    async for some in _parts(file):
        yield {"_id": {"$in": [one["_id"] for one in some]}}


def replacing(document: Document) -> ReplaceOne[Document]:
    """In the place of one that is there."""
    return ReplaceOne({"_id": document["_id"]}, document, upsert=True)


def merging(document: Document) -> UpdateOne:
    """Never less than is there, wherever one is cut off: the later time counts, and the other fields that are there."""
    fields = {name: value for name, value in document.items() if name != "_id"}
    return UpdateOne({"_id": document["_id"]}, {"$max" if "at" in fields else "$setOnInsert": fields}, upsert=True)


async def load(store: Store, collection: str, path: Path, change: Change = replacing) -> None:
    """Put a file's documents into a collection.

    Args:
        store: The store.
        collection: The collection's name.
        path: The file.
        change: What is done with each.

    Raises:
        BackupInvalid: It is no file of documents.
        StoreUnavailable: The store is away; may be repeated.
    """
    async for some in _parts(path):
        await store.upsert(collection, [change(one) for one in some])


async def _parts(path: Path) -> AsyncIterator[list[Document]]:
    with gzip.open(path) as file:
        documents = _read(cast(BinaryIO, file), path)
        while some := await asyncio.to_thread(_take, documents):
            yield some


def _take(documents: Iterator[Document]) -> list[Document]:
    return list(islice(documents, _BATCH))


def _read(file: BinaryIO, path: Path) -> Iterator[Document]:
    while head := file.read(_LENGTH_BYTES):
        size = int.from_bytes(head, "little")
        content = head + file.read(max(0, min(size, _MOST_BYTES) - _LENGTH_BYTES))
        if len(content) != size:
            raise BackupInvalid(f"{path} ends in the middle of a document.")
        yield bson.decode(content, _OPTIONS)
