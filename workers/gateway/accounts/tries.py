"""The wrong passwords for an account as its document has them."""

from typing import Any

from infra.store import Document
from workers.gateway.accounts.lockout import Record, Tries


def fields_of(record: Record) -> Document:
    """What is written of them."""
    return {
        "tries": [{"source": source} | _plain(tries) for source, tries in record.sources.items()],
        "strangers": _plain(record.strangers),
        "known": list(record.known),
        "tries_version": record.version,
    }


def forgiven() -> Document:
    """What is written where somebody has a new password: nobody is kept out, and who is known stays so."""
    return {"tries": [], "strangers": _plain(Tries())}


def record_of(document: Document) -> Record:
    """What is read of them; an account of an earlier version has none."""
    return Record(
        {one["source"]: _tries(one) for one in document.get("tries", ())},
        _tries(document.get("strangers", _plain(Tries()))),
        tuple(document.get("known", ())),
        document.get("tries_version", 0),
    )


def unchanged(record: Record) -> Document:
    """What finds the account only if nothing has come between."""
    return {"tries_version": record.version or {"$in": [0, None]}}


def _plain(tries: Tries) -> dict[str, Any]:
    return {"failures": tries.failures, "failed_at": tries.failed_at, "locked_until": tries.locked_until}


def _tries(document: Document) -> Tries:
    return Tries(document["failures"], document["failed_at"], document["locked_until"])
