"""Each trigger of a retraining fires exactly when it should."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from infra.settings import Settings
from workers.retrain.triggers import FEWEST_OF_A_KIND, NEW_FOR_DRIFT, Figures, due, fired, rests_until

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QUIET = Figures(new_rows=1, missing_classes=3)


def trigger(figures: Figures, *, began: datetime = NOON, now: datetime = NOON, **settings: Any) -> str | None:
    """The name of what fires."""
    found = fired(figures, Settings(_env_file=None, **settings), now, began)
    return None if found is None else found.trigger


@pytest.mark.parametrize(
    ("corrections", "said"), [(0, None), (1, None), (299, None), (300, "corrections"), (1_200, "corrections")]
)
def test_corrections_fire_at_their_number_and_beyond(corrections: int, said: str | None) -> None:
    """N reached exactly and jumped over fire; fewer, and zero, do not."""
    assert said == trigger(replace(QUIET, corrections=corrections))


def test_zero_corrections_never_fire() -> None:
    """Even where one is enough, nothing is not."""
    assert trigger(QUIET, retrain_corrections=1) is None


@pytest.mark.parametrize(
    ("rows", "missing", "said"), [(100, 0, "coverage"), (99, 0, None), (100, 1, None), (100, None, None)]
)
def test_coverage_needs_rows_of_every_category(rows: int, missing: int | None, said: str | None) -> None:
    """A hundred verdicts fire once no category lacks one; without a champion nobody knows the categories."""
    assert said == trigger(Figures(new_rows=rows, missing_classes=missing))


@pytest.mark.parametrize(
    ("accuracy", "judged", "said"),
    [(0.69, 500, "accuracy"), (0.70, 500, None), (1.0, 900, None), (0.0, 499, None), (None, 0, None)],
)
def test_the_floor_of_accuracy_fires_below_it_alone(accuracy: float | None, judged: int, said: str | None) -> None:
    """At the floor, above it, and with too few judged answers, nothing fires."""
    assert said == trigger(replace(QUIET, accuracy=accuracy, judged=judged))


@pytest.mark.parametrize(
    ("kind", "f1", "fires"),
    [
        ("text", 0.649, True),
        ("text", 0.651, False),
        ("text", 0.99, False),
        ("image", 0.499, True),
        ("image", 0.9, False),
    ],
)
def test_being_better_than_the_target_never_fires(kind: str, f1: float, fires: bool) -> None:
    """Weighted F1 fires when it is further below its target than the margin, for texts and photos apart."""
    judged: dict[str, Any] = {f"f1_{kind}": f1, f"judged_{kind}": FEWEST_OF_A_KIND}
    assert (f"f1_{kind}" if fires else None) == trigger(replace(QUIET, judged=500, **judged))
    assert trigger(replace(QUIET, judged=499, **judged)) is None
    assert trigger(replace(QUIET, judged=500, **judged | {f"judged_{kind}": FEWEST_OF_A_KIND - 1})) is None


@pytest.mark.parametrize(("share", "said"), [(0.11, "drift"), (0.1, None), (0.0, None), (None, None)])
def test_drift_fires_above_its_share(share: float | None, said: str | None) -> None:
    """Drift that nobody has measured is none."""
    assert said == trigger(replace(QUIET, new_rows=NEW_FOR_DRIFT, drift_share=share))
    assert trigger(replace(QUIET, new_rows=NEW_FOR_DRIFT - 1, drift_share=share)) is None


@pytest.mark.parametrize(
    ("began", "rows", "said"),
    [
        (NOON - DAY, 1, "schedule"),
        (NOON - DAY, 0, None),
        (NOON - timedelta(hours=8), 1, None),
        (NOON - timedelta(hours=9, minutes=1), 1, "schedule"),
    ],
)
def test_a_schedule_fires_once_it_is_due_and_something_was_said(began: datetime, rows: int, said: str | None) -> None:
    """What was due while no worker was there fires when one is: three in the morning at noon."""
    assert said == trigger(replace(QUIET, new_rows=rows), began=began, retrain_schedule="0 3 * * *")


def test_a_schedule_is_due_at_its_minute() -> None:
    """Not a second before, and of several the first counts."""
    since = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    three = datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert due("0 4 * * 0; 0 3 * * *", since, three - timedelta(seconds=1)) is None
    assert three == due("0 4 * * 0; 0 3 * * *", since, three)
    assert due("0 3 * * *", three, three + timedelta(hours=23)) is None


@pytest.mark.parametrize("failures", [0, 1, 3, 30])
def test_after_a_training_triggers_rest(failures: int) -> None:
    """For the cool-down, and twice as long after each training that failed, but no longer than a day."""
    settings = Settings(_env_file=None)
    assert rests_until(settings, None, failures) is None
    assert NOON + min(DAY, 2**failures * timedelta(minutes=15)) == rests_until(settings, NOON, failures)


@pytest.mark.parametrize(
    "figures",
    [
        Figures(missing_classes=0, drift_share=0.9),
        Figures(missing_classes=0, judged=500, accuracy=0.1),
        Figures(missing_classes=0, judged=500, judged_text=500, f1_text=0.1),
    ],
)
def test_nothing_new_fires_nothing(figures: Figures) -> None:
    """What is still as bad as before the last training waits for verdicts: the same rows give the same model."""
    assert trigger(figures, began=NOON - DAY) is None
    assert trigger(replace(figures, new_rows=NEW_FOR_DRIFT), retrain_new_rows=None) is not None


@pytest.mark.parametrize(
    ("setting", "figures"),
    [
        ("retrain_corrections", replace(QUIET, corrections=900)),
        ("retrain_new_rows", Figures(new_rows=900, missing_classes=0)),
        ("retrain_accuracy_floor", replace(QUIET, accuracy=0.1, judged=500)),
        ("retrain_f1_target_text", replace(QUIET, f1_text=0.1, judged=500, judged_text=100)),
        ("retrain_f1_target_image", replace(QUIET, f1_image=0.1, judged=500, judged_image=100)),
        ("retrain_drift_share", replace(QUIET, new_rows=NEW_FOR_DRIFT, drift_share=0.9)),
    ],
)
def test_each_trigger_can_be_switched_off(setting: str, figures: Figures) -> None:
    """``none`` switches one off, and leaves the others."""
    assert trigger(figures, retrain_schedule=None) is not None
    assert trigger(figures, retrain_schedule=None, **{setting: None}) is None  # type: ignore[arg-type] # any setting


def test_what_fires_says_its_figures() -> None:
    """The run's record has the figures and a sentence."""
    found = fired(replace(QUIET, corrections=301), Settings(_env_file=None), NOON, NOON)
    assert found is not None
    assert 301 == found.figures["corrections"]
    assert "301 contents were corrected since the last training, 300 are enough" == found.why


def test_a_schedule_that_is_none_is_refused_at_the_start() -> None:
    """A typing error in a cron expression is told by the setting's name, not at three in the morning."""
    with pytest.raises(ValidationError, match="retrain_schedule"):
        Settings(_env_file=None, retrain_schedule="at three")
