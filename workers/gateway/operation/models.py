"""Models as people look at them: listed, shown, compared, with their reports."""

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from infra.errors import StoreRefused, StoreUnavailable
from model.bundle import REPORT
from model.found import as_rows, bundles, facts
from schemas.http.comparison import ModelComparison
from schemas.http.model import ModelDecision, ModelList, ModelRow, ModelView
from workers.gateway.errors import NotFound
from workers.gateway.operation.decisions import manifest_of
from workers.gateway.paging import cursor_of, place_of
from workers.gateway.parts import Parts
from workers.promotion import InForce

PATH: Final = "/api/v1/models"

_HTML: Final = "report.html"
_STYLE: Final = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


async def listed(parts: Parts, limit: int, cursor: str | None) -> ModelList:
    """A page of the models, and what is decided."""
    now = await parts.operation.decisions.now()
    rows = await asyncio.to_thread(as_rows, parts.operation.decisions.models_dir, now.event, now.challenger)
    if cursor is not None:
        behind = str(place_of(cursor, str)[0])
        rows = [row for row in rows if row["version"] < behind]
    page = [ModelRow(**row, report=_report_link(parts, row["version"])) for row in rows[:limit]]
    return ModelList(
        items=page,
        next=cursor_of(page[-1].version) if len(rows) > limit else None,
        champion=ModelDecision.of(now.event),
        challenger=ModelDecision.of(now.challenger),
        untold=now.untold,
        pinned=parts.settings.model is not None,
    )


async def shown(parts: Parts, version: str) -> ModelView:
    """One model.

    Raises:
        NotFound: There is none.
        BundleInvalid: It cannot be read.
    """
    now = await parts.operation.decisions.now()
    bundle = find(parts, version, now)

    def read() -> dict[str, Any]:
        return facts(bundle, manifest_of(bundle), now.event, now.made)

    found = await asyncio.to_thread(read)
    event = now.event if found["state"] == "champion" else now.made.get(bundle.name)
    tried = now.challenger is not None and now.challenger.model.version == bundle.name
    more = {"challenger": tried, "decision": ModelDecision.of(event), "report": _report_link(parts, bundle.name)}
    return ModelView.model_validate({**found, "made": manifest_of(bundle).created_at, **more})


async def compared(parts: Parts, first: str, second: str) -> ModelComparison:
    """Two models side by side; nothing is asked of either.

    Raises:
        NotFound: One of them is not there.
        BundleInvalid: It cannot be read.
    """
    now = await parts.operation.decisions.now()
    paths = [find(parts, version, now) for version in (first, second)]
    found = await asyncio.to_thread(_compare, *paths)
    shadow, why = await _shadow(parts, paths[0].name, paths[1].name)
    return ModelComparison.model_validate({**found, "shadow": shadow, "no_shadow": why})


def find(parts: Parts, version: str, now: InForce) -> Path:
    """The bundle of a version or an alias.

    Raises:
        NotFound: There is none below the data directory.
    """
    event = now.aliases.get(version)
    name = version if event is None else event.model.version
    for path in bundles(parts.operation.decisions.models_dir):
        if path.name == name:
            return path
    raise NotFound(f"There is no model {name} here.")


def report_of(bundle: Path) -> tuple[bytes, str]:
    """A model's report as a page, and the content security policy under which it is shown; blocks.

    The page has its own styles and nothing else that runs or is fetched; the policy names their hashes.

    Raises:
        NotFound: The model has no report.
    """
    path = bundle / REPORT / _HTML
    if not path.is_file():
        raise NotFound(f"The model {bundle.name} has no report.")
    page = path.read_bytes()
    return page, policy_of(page)


def policy_of(page: bytes) -> str:
    """A policy that lets a page of ours have the styles that stand in it, and nothing else."""
    hashes = {b64encode(sha256(style).digest()).decode() for style in _STYLE.findall(page)}
    styles = " ".join(f"'sha256-{one}'" for one in sorted(hashes)) or "'none'"
    return (
        f"default-src 'none'; style-src {styles}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
    )


def _report_link(parts: Parts, version: str) -> str | None:
    there = (parts.operation.decisions.models_dir / version / REPORT / _HTML).is_file()
    return f"{PATH}/{version}/report" if there else None


def _compare(first: Path, second: Path) -> dict[str, Any]:
    from model.compare import compare_bundles  # takes a second: scipy

    return compare_bundles(first, second).model_dump(exclude={"on_data"})


async def _shadow(parts: Parts, first: str, second: str) -> tuple[dict[str, Any] | None, str | None]:
    from workers.shadow import shadow_figures

    try:
        found = await shadow_figures(parts.store, first, second)
    except (StoreUnavailable, StoreRefused) as error:
        return None, error.message
    return (None if found is None else found.model_dump()), None
