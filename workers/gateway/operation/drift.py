"""The monitor's checks and reports as people look at them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from pymongo import DESCENDING

from infra.store import MONITOR, Document, Store
from schemas.http.drift import Check, CheckHistory, CheckKind, DriftReport, DriftView
from workers.gateway.errors import NotFound
from workers.gateway.paging import cursor_of, no_cursor, place_of
from workers.monitor.checks import Checks

PATH: Final = "/api/v1/drift"

POLICY: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""Of a report. Evidently's page is made of inline scripts that evaluate text, so these are let run: in a sandbox, of no
origin, from where neither cookies nor pages of ours nor the network can be reached."""

_REPORT: Final = re.compile(r"drift(-\d{6})?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_REPORTS: Final = 100
_KNOWN: Final = {"_id", "kind", "at", "model_version", "alert", "causes", "told"}


async def newest(store: Store, data_dir: Path) -> DriftView:
    """The newest check of each kind, and the reports.

    Raises:
        StoreUnavailable: The store is away.
    """
    found = [await Checks(store).last(kind) for kind in get_args(CheckKind)]
    return DriftView(checks=[_check(one) for one in found if one is not None], reports=reports(data_dir))


async def history(store: Store, kind: CheckKind, limit: int, cursor: str | None) -> CheckHistory:
    """A page of the checks of a kind, the newest first.

    Raises:
        Unprocessable: The cursor is none of this list.
        StoreUnavailable: The store is away.
    """
    query: Document = {"kind": kind}
    if cursor is not None:
        query["at"] = {"$lt": _time(str(place_of(cursor, str)[0]))}
    with store.named_errors():
        found = store.collection(MONITOR).find(query).sort("at", DESCENDING).limit(limit + 1)
        documents: list[Document] = await found.to_list(limit + 1)
    checks = [_check(one) for one in documents[:limit]]
    more = cursor_of(checks[-1].at.isoformat()) if len(documents) > limit else None
    return CheckHistory(items=checks, next=more)


def reports(data_dir: Path) -> list[DriftReport]:
    """The reports that lie below the data directory, the newest first."""
    pages = sorted(data_dir.glob("monitor/*/drift*.html"), key=lambda page: (page.parent.name, page.stem), reverse=True)
    there = [page for page in pages if _DAY.fullmatch(page.parent.name) and _REPORT.fullmatch(page.stem)]
    return [_report(page.parent.name, page.stem) for page in there[:_REPORTS]]


def report_file(data_dir: Path, day: str, name: str, suffix: str) -> Path:
    """A file of a report.

    Raises:
        NotFound: There is none.
    """
    path = data_dir / "monitor" / day / f"{name}.{suffix}"
    if not (_DAY.fullmatch(day) and _REPORT.fullmatch(name) and path.is_file()):
        raise NotFound("There is no such report here.")
    return path


def _report(day: str, name: str) -> DriftReport:
    link = f"{PATH}/reports/{day}/{name}"
    return DriftReport(day=day, name=name, html=f"{link}?format=html", json=f"{link}?format=json")


def _check(document: Document) -> Check:
    names = ("kind", "at", "model_version", "alert", "causes")
    figures = {name: value for name, value in document.items() if name not in _KNOWN}
    return Check(figures=figures, **{name: document[name] for name in names})


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise no_cursor() from None
