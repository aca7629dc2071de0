"""The document store, through Motor: the only module that imports it.

Motor is deprecated (critical fixes until May 2027); PyMongo's own async client is its successor. Keeping it
to this module keeps that move small.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final, TypeVar

from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ReplaceOne, UpdateOne, WriteConcern
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.uri_parser import parse_uri

from infra.errors import DocumentRefused, StoreRefused, StoreUnavailable
from infra.logging import get_logger
from infra.metrics.store import STORE_FAILURES, STORE_TOOK, STORE_WRITES
from infra.store_address import tls_hint
from infra.tracing import store_listeners

Document = dict[str, Any]
Upsert = UpdateOne | ReplaceOne[Document]
T = TypeVar("T")

ITEMS: Final = "items"
FEEDBACK: Final = "feedback"
DLQ_ACTIONS: Final = "dlq_actions"
RUNS: Final = "runs"
LEASES: Final = "leases"
TRAINING_SETS: Final = "training_sets"
MONITOR: Final = "monitor"
SHADOW: Final = "shadow"
REPLAYS: Final = "replays"
AUDIT: Final = "audit"
JOBS: Final = "jobs"
CLAIMS: Final = "claims"
USERS: Final = "users"
SESSIONS: Final = "sessions"
API_KEYS: Final = "api_keys"
INVITATIONS: Final = "invitations"
MIGRATIONS: Final = "migrations"
FORGOTTEN: Final = "forgotten"

_DUPLICATE_KEY: Final = 11000
_DUPLICATE_KEY_ON_POSTGRES: Final = "violates exclusion constraint"
_TRANSIENT: Final = (ConnectionFailure, AutoReconnect, NetworkTimeout, ExecutionTimeout, WTimeoutError)
_UNFIT_DOCUMENT: Final = (BSONError, DocumentTooLarge, OverflowError)
# Of MongoDB's error codes, those that speak of the document: BadValue, TypeMismatch, InvalidBSON,
# DocumentValidationFailure, BSONObjectTooLarge and two more for too large. Any other may pass with time.
_UNFIT_DOCUMENT_CODES: Final = frozenset({2, 14, 22, 121, 10334, 17280, 17419})
_NO_RIGHT: Final = frozenset({13, 18})  # Unauthorized, AuthenticationFailed
_CHECK_USER: Final = "Check user and password, in AISLE_MONGODB_URI or in AISLE_MONGODB_USER and _PASSWORD_FILE."
_LONGEST_PAUSE_S: Final = 5.0
_MAX_RACES: Final = 10

logger = get_logger(__name__)


class Store:
    """One database of a MongoDB-wire server.

    Args:
        uri: ``mongodb://`` address; may hold credentials and is never shown.
        database: The database's name.

    Raises:
        StoreUnavailable: The address is not one.
    """

    def __init__(self, uri: str, database: str) -> None:
        try:
            hosts = parse_uri(uri)["nodelist"] if uri.startswith("mongodb://") else []
            self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                uri,
                tz_aware=True,
                serverSelectionTimeoutMS=3_000,
                connectTimeoutMS=10_000,  # also of heartbeats: one that is late cancels the writes under way
                socketTimeoutMS=30_000,
                event_listeners=store_listeners(),
            )
        except (PyMongoError, ValueError) as error:
            raise StoreUnavailable(
                f"AISLE_MONGODB_URI is no usable address: {error}.", hint="Write it as mongodb://host:port."
            ) from error
        self.address = ",".join(f"{host}:{port}" for host, port in hosts) or "a cluster named by DNS"
        self._database = self._client.get_database(database, write_concern=WriteConcern(w="majority", j=True))

    def collection(self, name: str) -> AsyncIOMotorCollection[Document]:
        """A collection that writes with w=majority and j=true."""
        return self._database.get_collection(name)

    async def ping(self) -> None:
        """Return if the server answers.

        Raises:
            StoreUnavailable: It does not.
            StoreRefused: It does not let us in.
        """
        with self.named_errors():
            await self._client.admin.command("ping")

    async def wait(self, timeout_s: float | None = None) -> None:
        """Return once the server answers; None waits as long as it takes.

        Raises:
            StoreUnavailable: It did not answer within ``timeout_s`` seconds.
            StoreRefused: It does not let us in.
        """
        started, pause = monotonic(), 0.25
        while True:
            try:
                return await self.ping()
            except StoreUnavailable as error:
                waited = monotonic() - started
                if timeout_s is not None and waited + pause > timeout_s:
                    raise
                logger.info("waiting for the store", why=error.message, waited_s=round(waited))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def collection_names(self) -> list[str]:
        """The collections that are there."""
        with self.named_errors():
            return list(await self._database.list_collection_names())

    async def upsert(self, collection: str, operations: Sequence[Upsert]) -> None:
        """Write upserts in one unordered bulk, and again those that raced another writer for a new document.

        The operations must commute and repeat without effect. Sort them by ``_id``: two bulks that lock the
        same documents in different orders can deadlock on some servers.

        Raises:
            StoreUnavailable: The server went away or is not fit to write; some operations may have been applied.
            StoreRefused: The server refused the bulk as a whole, for a reason that a retry will not mend.
            DocumentRefused: A document cannot be stored; all others of the bulk may have been.
        """
        for _ in range(_MAX_RACES):
            if not operations:
                return
            try:
                with self.named_errors(), STORE_TOOK.time():
                    await self.collection(collection).bulk_write(operations, ordered=False)
                STORE_WRITES.labels(collection=collection).inc(len(operations))
            except BulkWriteError as error:
                operations = _raced(operations, error)
            else:
                return
        raise StoreUnavailable(f"Other writers won {_MAX_RACES} races for the same documents.")

    async def retrying(self, write: Callable[[], Awaitable[T]], budget_s: float) -> T:
        """Run a repeatable write until it succeeds, with growing pauses, for at most ``budget_s`` seconds.

        Raises:
            StoreUnavailable: The budget is spent.
        """
        deadline, pause = monotonic() + budget_s, 0.1
        while True:
            try:
                return await write()
            except StoreUnavailable as error:
                if monotonic() + pause > deadline:
                    raise
                logger.warning("the store is away, trying again", address=self.address, error=error.message)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Give PyMongo's errors our names; every command to the server runs in this.

        Raises:
            StoreUnavailable: The server is away; a retry may help.
            StoreRefused: The server refuses the command, or does not let us in.
            DocumentRefused: A document cannot be encoded.
        """
        try:
            yield
        except BulkWriteError:
            raise  # has a code for each operation: whoever wrote them knows what to make of it
        except _UNFIT_DOCUMENT as error:
            raise DocumentRefused(f"A document cannot be stored: {type(error).__name__}: {error}.") from error
        except (*_TRANSIENT, OSError) as error:
            raise self._unavailable(error) from error
        except OperationFailure as error:
            STORE_FAILURES.labels(outcome="refused").inc()
            hint = _CHECK_USER if error.code in _NO_RIGHT else ""
            raise StoreRefused(f"The store at {self.address} refuses: {error}.", hint=hint) from error
        except PyMongoError as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        STORE_FAILURES.labels(outcome="away").inc()
        if (told := tls_hint(error)) is not None:
            return StoreUnavailable(f"The store at {self.address} {told[0]}: {type(error).__name__}.", hint=told[1])
        return StoreUnavailable(
            f"No MongoDB server answers at {self.address}: {type(error).__name__}.",
            hint="Start one with `aisle up`, or set AISLE_MONGODB_URI to yours.",
        )


def _raced(operations: Sequence[Upsert], error: BulkWriteError) -> list[Upsert]:
    """The operations that lost a race for a new document."""
    errors: Sequence[Mapping[str, Any]] = error.details.get("writeErrors", ())
    for one in errors:
        code, message = one.get("code"), str(one.get("errmsg"))
        if code in _UNFIT_DOCUMENT_CODES:
            raise DocumentRefused(f"The store refused a document: {message}.") from error
        if code != _DUPLICATE_KEY and _DUPLICATE_KEY_ON_POSTGRES not in message:
            raise StoreUnavailable(f"The store did not write: {message}.") from error
    if not errors:  # a write concern that was not met: applied, but not as safely as we promise
        raise StoreUnavailable("The store could not confirm a write on a majority of its members.") from error
    return [operations[one["index"]] for one in errors]
