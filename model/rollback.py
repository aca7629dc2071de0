"""The decision that returns to the version before."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from model.champion import promotion
from model.errors import NoChampion, PromotionRefused
from schemas.model_event import ModelEvent


def former(
    models_dir: Path, before: ModelEvent | None, made: Mapping[str, ModelEvent], *, by: str, why: str | None
) -> ModelEvent:
    """Name the version before the one in force again.

    Args:
        models_dir: Where bundles live; one that is not here is named as the topic has it.
        before: The decision in force.
        made: Decisions that the topic still has, by version.
        by: Who decides.
        why: The reason; None: that it is a rollback.

    Raises:
        NoChampion: Nothing is in force.
        PromotionRefused: There is no version before it, or nobody knows where it is.
        BundleInvalid: A file of it is missing or changed.
    """
    if before is None:
        raise NoChampion("No model is in service.", hint="Run `aisle train DATA`.")
    current, version = before.model.version, before.previous
    if version is None:
        raise PromotionRefused(f"{current} is the first model: there is none to go back to.")
    why = why or f"rollback from {current}"
    if (models_dir / version).is_dir():
        return promotion(models_dir / version, before, by=by, why=why)
    if (event := made.get(version)) is None:
        raise PromotionRefused(
            f"The version before, {version}, is not in {models_dir}, and the topic has its place no more.",
            hint="Copy the bundle there, or promote another.",
        )
    again = {"previous": current, "sequence": before.sequence + 1, "by": by, "why": why, "at": datetime.now(UTC)}
    return event.model_copy(update=again)
