"""When to train anew: rules over figures, without a clock or a store of their own."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cronsim import CronSim

from infra.settings import Settings

FEWEST_OF_A_KIND: Final = 50
"""Fewer judged answers to texts, or to photos alone, say nothing of either."""

NEW_FOR_DRIFT: Final = 50
"""Drift stays after a training on much the same rows: it takes so many contents with a person's word to try again."""

_LONGEST_REST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the triggers look at.

    Args:
        corrections: Contents that people have corrected since the last training, each once.
        new_rows: Contents that have a category by a person's word since then, corrected or validated.
        missing_classes: Categories of the champion that none of these has; None: there is no champion.
        judged: Of the champion's own answers, how many were judged since then, of the latest.
        accuracy: Part of them that was right; None where nothing was judged.
        f1_text: Their weighted F1, of products with a text.
        judged_text: How many these are.
        f1_image: Their weighted F1, of products with only a photo.
        judged_image: How many these are.
        drift_share: Part of what is watched that has drifted, as it was found since then; None: not known.
    """

    corrections: int = 0
    new_rows: int = 0
    missing_classes: int | None = None
    judged: int = 0
    accuracy: float | None = None
    f1_text: float | None = None
    judged_text: int = 0
    f1_image: float | None = None
    judged_image: int = 0
    drift_share: float | None = None

    def shown(self) -> dict[str, Any]:
        """For the record of a run."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger and what it says."""

    trigger: str
    why: str
    figures: dict[str, Any] = field(default_factory=dict)


def rests_until(settings: Settings, ended: datetime | None, failures: int) -> datetime | None:
    """Until when no trigger fires; twice as long with each training that failed, a day at most.

    Args:
        settings: The cool-down.
        ended: When the last training ended; None: there was none.
        failures: How many of the last trainings, one after the other, have failed.
    """
    if ended is None:
        return None
    return ended + min(_LONGEST_REST, (1 << min(failures, 16)) * timedelta(hours=settings.retrain_cooldown_h))


def fired(figures: Figures, settings: Settings, now: datetime, began: datetime) -> Fired | None:
    """The first trigger that fires. Without anything new to learn none does.

    Args:
        figures: As they stand.
        settings: Which triggers there are and when each fires.
        now: The time.
        began: When the last training began; without one, since when there is a retraining worker.
    """
    if not figures.new_rows:
        return None
    found = next(_firing(figures, settings, now, began), None)
    return None if found is None else Fired(*found, figures.shown())


def _firing(figures: Figures, settings: Settings, now: datetime, began: datetime) -> Iterator[tuple[str, str]]:
    if (least := settings.retrain_corrections) and figures.corrections >= least:
        yield (
            "corrections",
            f"{figures.corrections} contents were corrected since the last training, {least} are enough",
        )
    if (least := settings.retrain_new_rows) and figures.new_rows >= least and figures.missing_classes == 0:
        yield "coverage", f"{figures.new_rows} contents have a person's word, with every category among them"
    enough = figures.judged >= settings.retrain_judged  # people correct first: a few verdicts are all on mistakes
    floor, accuracy = settings.retrain_accuracy_floor, figures.accuracy
    if floor is not None and accuracy is not None and enough and accuracy < floor:
        yield "accuracy", f"{accuracy:.1%} of the last {figures.judged} judged answers were right, below {floor:.0%}"
    for what, f1, judged, target in (
        ("text", figures.f1_text, figures.judged_text, settings.retrain_f1_target_text),
        ("image", figures.f1_image, figures.judged_image, settings.retrain_f1_target_image),
    ):
        low = None if target is None else target - settings.retrain_f1_margin
        if low is not None and f1 is not None and enough and judged >= FEWEST_OF_A_KIND and f1 < low:
            yield f"f1_{what}", f"weighted F1 of the last {judged} judged ({what}) is {f1:.3f}, below {low:.3f}"
    most, share = settings.retrain_drift_share, figures.drift_share
    if most is not None and share is not None and share > most and figures.new_rows >= NEW_FOR_DRIFT:
        yield "drift", f"{share:.0%} of what is watched has drifted, more than {most:.0%}"
    if (when := due(settings.retrain_schedule, began, now)) is not None:
        yield "schedule", f"due at {when:%Y-%m-%d %H:%M} UTC, with {figures.new_rows} new verdicts"


def due(schedule: str | None, since: datetime, now: datetime) -> datetime | None:
    """The first time of a schedule after ``since``, if it has come.

    Args:
        schedule: Cron expressions with semicolons between; None: nothing is ever due.
        since: Excluded, UTC.
        now: Included, UTC.
    """
    first = next_due(schedule, since)
    return first if first is not None and first <= now else None


def next_due(schedule: str | None, since: datetime) -> datetime | None:
    """The first time of a schedule after ``since``; None without a schedule."""
    return min((next(CronSim(one.strip(), since)) for one in (schedule or "").split(";") if one.strip()), default=None)
