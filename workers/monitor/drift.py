"""The newest products and answers held against what was usual when the champion was made."""

from collections.abc import Sequence
from typing import Any, Final

from model.drift.compare import Drift, compare
from model.reference import Profile, profile
from model.rows import Rows
from workers.monitor.seen import Seen

CAUSE: Final = "drift"


def profile_seen(seen: Sequence[Seen], version: str) -> Profile:
    """Count products, and of the answers those of one version.

    Args:
        seen: The products.
        version: The model's.
    """
    own = [one for one in seen if one.version == version]
    return profile(
        Rows([one.title for one in seen], [one.description for one in seen]),
        photographed=[one.photo for one in seen],
        predicted=[one.code for one in own],
        confidence=[one.confidence for one in own],
    )


def look(seen: Sequence[Seen], version: str, reference: Profile, psi: float) -> Drift:
    """Compare; blocks for a second or so a thousand products, as languages are told.

    Args:
        seen: The products.
        version: The champion's.
        reference: What was usual.
        psi: From which on a column has drifted.
    """
    return compare(reference, profile_seen(seen, version), psi)


def figures_of(drift: Drift, seen: Sequence[Seen], version: str) -> dict[str, Any]:
    """What the document says."""
    own = [one for one in seen if one.version == version]
    figures: dict[str, Any] = {
        "rows": len(seen),
        "answers": len(own),
        "share": drift.share,
        "drifted": drift.drifted,
        "columns": [column.model_dump(exclude={"binned"}) for column in drift.columns],
        "skipped": drift.skipped,
        "missing": {
            "title": _share(not one.title for one in seen),
            "description": _share(not one.description for one in seen),
            "photo": _share(not one.photo for one in seen),
        },
    }
    if own:
        figures["review_share"] = _share(one.needs_review for one in own)
        figures["mean_confidence"] = sum(one.confidence for one in own) / len(own)
    return figures


def causes(drift: Drift, most: float) -> dict[str, str]:
    """What is wrong: more columns than allowed have drifted.

    Args:
        drift: What was found.
        most: The greatest share of drifted columns that is none.
    """
    if drift.share <= most:
        return {}
    named = ", ".join(f"{column.name} (PSI {column.psi:.2f})" for column in drift.columns if column.level == "drifted")
    return {CAUSE: f"{len(drift.drifted)} of {len(drift.columns)} columns have drifted: {named}."}


def _share(flags: Any) -> float:
    found = list(flags)
    return sum(found) / len(found) if found else 0.0
