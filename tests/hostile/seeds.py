"""What lies in the store and on the disk before the first request: hostile texts wherever producers can put them."""

import csv
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from infra.lease import utc_now
from infra.store import Document
from tests.hostile.payloads import ODD, SCRIPTS

MARK: Final = "told-to-staff-alone"
"""In every text of an item that is another's: no answer to a customer or to nobody may have it."""

OUTSIDE: Final = "not-for-any-caller"
"""In files beside those that are served."""

TEXTS: Final = tuple(
    text for text in (*SCRIPTS, *ODD) if text.strip() and "\x00" not in text and text.isascii() | text.isprintable()
)
CODES: Final = ("lamps", "__proto__", "constructor", "toString", *(text[:100] for text in SCRIPTS[:6]))
"""Of the categories; a page that keeps counts by them had better not take them for names of its own."""


def _ids(what: str, count: int) -> tuple[str, ...]:
    return tuple(str(uuid5(NAMESPACE_URL, f"urn:hostile:{what}:{number}")) for number in range(count))


OWN: Final = _ids("own", len(TEXTS))
THEIRS: Final = _ids("theirs", len(TEXTS))
LETTERS: Final = _ids("letter", len(TEXTS))


def items(customer: str) -> list[Document]:
    """Items of a customer, of another, and dead letters."""
    codes = cycle(CODES)
    own = [_item(event, text, next(codes), customer) for event, text in zip(OWN, TEXTS, strict=True)]
    theirs = [_item(event, f"{MARK} {text}", next(codes), MARK) for event, text in zip(THEIRS, TEXTS, strict=True)]
    letters = [_letter(event, text) for event, text in zip(LETTERS, TEXTS, strict=True)]
    return [*own, *theirs, *letters]


def prediction(text: str, code: str) -> Document:
    """A prediction in whose every text there is something."""
    now = utc_now()
    return {
        "classified_at": now,
        "category": {"code": code, "label": text[:200], "theme": text[:200]},
        "confidence": 0.31,
        "top": [{"code": code, "label": text[:200], "probability": 0.31}],
        "needs_review": True,
        "decided_by": "text",
        "modalities": ["title"],
        "notes": [text[:500]],
        "model": {"name": text[:100], "version": text[:100]},
        "partition": 0,
    }


def _item(event: str, text: str, code: str, owner: str) -> Document:
    product = {
        "published_at": utc_now() - timedelta(seconds=1),
        "title": text,
        "description": _long(text, 20_000),
        "image": {"uri": text[:500], "error": text[:500]},
        "attributes": [{"name": text[:200], "value": text}],
        "submitted_by": owner,
    }
    return {"_id": event, "product_id": text[:200], "product": product, "prediction": prediction(text, code)}


def _long(text: str, chars: int) -> str:
    """As long as a field may be, where it is one long word."""
    return text[:1] * chars if len(set(text)) == 1 else text


def _letter(event: str, text: str) -> Document:
    reason = {"topic": text[:100], "partition": 0, "offset": 0, "timestamp_ms": 0, "stage": "decode"}
    reason |= {"error_class": text[:100], "message": f"{MARK} {text[:900]}"}
    raw = _long(text, 200_000).encode("utf-8", "surrogatepass")
    letter = {
        "attempts": 1,
        "at": utc_now(),
        **reason,
        "key": raw,
        "value": raw,
        "headers": [{"name": text, "value": raw}],
    }
    return {"_id": event, "product_id": text[:200], "dead_letter": letter}


def run() -> Document:
    """A training of which everything was said in script."""
    text, now = "".join(SCRIPTS[:3]), utc_now()
    said = [{"at": now, "said": one} for one in TEXTS]
    fields = {
        "trigger": text,
        "why": text,
        "by": text,
        "step": text,
        "outcome": text,
        "champion": text,
        "version": text,
    }
    return {
        "_id": 1,
        "token": "t",
        "state": "failed",
        "asked_at": now,
        "started_at": now,
        "ended_at": now,
        "log": said,
        "figures": dict.fromkeys(("a", "<b>"), text),
        "decision": {"passed": False, "why": text},
        **fields,
    }


def job(owner: str) -> Document:
    """A file of products with a name that is script."""
    fields: dict[str, Any] = {"owner": owner, "state": "failed", "file": SCRIPTS[1], "suffix": ".csv", "rows": 1}
    return {
        "_id": _ids("job", 1)[0],
        **fields,
        "sent": 0,
        "answered": 0,
        "failed": 0,
        "epoch": 0,
        "asked_at": utc_now(),
        "why": SCRIPTS[1],
    }


def write_files(data_dir: Path, folder: Path) -> None:
    """A taxonomy with hostile labels, a model that cannot be read, and files that nobody may get at."""
    data_dir.mkdir(parents=True)
    (folder / "photos").mkdir()
    (folder / "outside.txt").write_text(OUTSIDE, encoding="utf-8")
    with (folder / "taxonomy.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("code", "label", "theme"))
        table.writerows((code, f"{number} {SCRIPTS[number]}", SCRIPTS[number]) for number, code in enumerate(CODES))
    broken = data_dir / "models" / "20261122-000000-aaaaaa"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text('{"version": "<img src=x onerror=window.canaried=1>"}', encoding="utf-8")
