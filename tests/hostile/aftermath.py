"""What is in the store and on the disk when all is over."""

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from infra.store import API_KEYS, ITEMS, JOBS, RUNS, SESSIONS, USERS, Document, Store
from model.image.check import is_photo
from schemas.http.account import Role
from tests.hostile.seeds import OUTSIDE, OWN, THEIRS
from tests.hostile.stage import GONE, NAMES, Stage

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FILES: Final = re.compile(
    rf"secrets/gateway\.key|jobs\.place|models/20261122-000000-aaaaaa/manifest\.json|images/[0-9a-f]{{2}}/[0-9a-f]{{64}}|"
    rf"jobs/{_UUID}/(input\.(csv|tsv|jsonl|ndjson)|answers\.jsonl|result\.(csv|jsonl))"
)
_BESIDE: Final = frozenset({"data", "photos", "outside.txt", "taxonomy.csv", "gateway.log", "archive.log"})
_COLLECTIONS: Final = (
    *("items", "feedback", "dlq_actions", "runs", "leases", "training_sets", "monitor", "shadow", "audit", "jobs"),
    *("claims", "users", "sessions", "api_keys", "invitations"),
)


@dataclass
class Accepted:
    """What the gateway said that it took.

    Args:
        counts: Keys and runs; and calls whose answer nobody waited for, which may have been taken.
        names: Of accounts.
        events: Of products.
        jobs: Rows, by id.
    """

    counts: Counter[str] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    jobs: dict[str, int] = field(default_factory=dict)

    def see(self, method: bytes, path: bytes, status: int, content: Any) -> None:
        """Count what an answer says."""
        made = status in (200, 201, 202) and method == b"POST" and isinstance(content, dict)
        if not made:
            return
        if path == b"/api/v1/users":
            self.names.add(content["user"]["name"])
        elif path == b"/api/v1/me/keys":
            self.counts["keys"] += 1
        elif path == b"/api/v1/runs":
            self.counts["runs"] += 1
        elif path == b"/api/v1/predictions/bulk":
            self.jobs[content["id"]] = content["rows"]
        elif path in (b"/api/v1/predictions", b"/api/v1/predictions/upload"):
            self.events.add(content["event_id"])


@dataclass(frozen=True)
class Before:
    """What was there: accounts, and the parts of items that no request changes."""

    users: dict[str, Document]
    items: dict[str, Any]
    keys: int


async def look(store: Store) -> Before:
    """Note what is there."""
    users = {one["_id"]: one async for one in store.collection(USERS).find({})}
    items = {
        one["_id"]: (one["product"], one["prediction"])
        async for one in store.collection(ITEMS).find({"_id": {"$in": [*OWN, *THEIRS]}})
    }
    return Before(users, items, await store.collection(API_KEYS).count_documents({}))


async def wrong(stage: Stage, before: Before, accepted: Accepted) -> list[str]:
    """What was stored that should not be, in words."""
    store = stage.store()
    try:
        found = [line async for line in _of_accounts(store, before, accepted)]
        found += [line async for line in _of_items(store, before, accepted)]
        found += [line async for line in _of_documents(store)]
    finally:
        store.close()
    return [*found, *_of_files(stage.settings.data_dir)]


async def _of_accounts(store: Store, before: Before, accepted: Accepted) -> Any:
    names = {str(role) for role in Role}
    async for user in store.collection(USERS).find({}):
        name = user["_id"]
        was = before.users.get(name)
        if was is None and name not in accepted.names:
            yield f"there is an account {name!r} that nobody made"
        if was is not None:
            kept = ("role", "disabled", "password", "deleted_at")
            if any(user.get(part) != was.get(part) for part in kept):
                yield f"the account {name!r} was changed"
        elif user["role"] not in names or user.get("password") is not None:
            yield f"the account {name!r} is {user['role']!r} with a password"
    keys = await store.collection(API_KEYS).count_documents({})
    if keys > before.keys + accepted.counts["keys"]:
        yield f"there are {keys} API keys"
    if await store.collection(SESSIONS).count_documents({"user": {"$nin": [*NAMES.values(), GONE]}}):
        yield "there are sessions of others"
    runs = await store.collection(RUNS).count_documents({})
    if runs != 1 + accepted.counts["runs"]:
        yield f"there are {runs} runs, and {accepted.counts['runs']} were asked for"


async def _of_items(store: Store, before: Before, accepted: Accepted) -> Any:
    seen = set()
    mine = list(NAMES.values())
    async for item in store.collection(ITEMS).find({"product.submitted_by": {"$in": mine}}, {"_id": 1}):
        seen.add(item["_id"])
    jobs = {one["_id"]: one async for one in store.collection(JOBS).find({})}
    if extra := [name for name, job in jobs.items() if name not in accepted.jobs and job["file"][:1] != "<"]:
        yield f"there are {len(extra)} jobs that nobody asked for"
    most = len(OWN) + accepted.counts["unheard"] + len(accepted.events) + sum(accepted.jobs.values())
    if len(seen) > most:
        yield f"there are {len(seen)} items, and {most} were asked for"
    async for item in store.collection(ITEMS).find({"_id": {"$in": [*OWN, *THEIRS]}}):
        if (item["product"], item["prediction"]) != before.items.pop(item["_id"]):
            yield f"the item {item['_id']} was changed"
    if before.items:
        yield f"{len(before.items)} items are gone"


async def _of_documents(store: Store) -> Any:
    for name in _COLLECTIONS:
        async for document in store.collection(name).find({}):
            for way in _operators(document):
                yield f"a document of {name} has the field {way}"


def _operators(part: Any, way: str = "") -> Iterator[str]:
    """The fields within a document whose names a store takes for something else."""
    if isinstance(part, dict):
        for name, inside in part.items():
            if name.startswith("$") or "." in name or "\0" in name:
                yield f"{way}/{name}"
            yield from _operators(inside, f"{way}/{name}")
    elif isinstance(part, list):
        for inside in part:
            yield from _operators(inside, way)


def _of_files(data_dir: Path) -> Iterator[str]:
    for path in sorted(data_dir.rglob("*")):
        name = path.relative_to(data_dir).as_posix()
        if path.is_file() and not _FILES.fullmatch(name):
            yield f"there is a file {name!r}"
        if path.is_file() and name.startswith("images/"):
            content = path.read_bytes()
            with warnings.catch_warnings(action="ignore"):  # Pillow's, on metadata that is cut off
                fine = is_photo(content)
            if sha256(content).hexdigest() != path.name or not fine:
                yield f"{name} is no photo of that name"
    beside = {path.name for path in data_dir.parent.iterdir()}
    if beside != _BESIDE or (data_dir.parent / "outside.txt").read_text(encoding="utf-8") != OUTSIDE:
        yield f"beside the data directory there is {sorted(beside ^ _BESIDE)}"
    if Path("/tmp/owned").exists():  # noqa: S108 - what some requests would make
        yield "a command was run"
