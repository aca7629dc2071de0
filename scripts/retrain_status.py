"""How far each trigger is from firing, and what the retraining worker does."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from scripts.retrain_view import line
from scripts.stored import opened_store

if TYPE_CHECKING:
    from infra.runs import Run
    from infra.settings import Settings
    from workers.retrain.triggers import Figures


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to know.

    Args:
        worker: Who has the lease; None: no retraining worker is there.
        champion: The version in service.
        figures: What triggers look at; None without a champion.
        settings: When they fire.
        last: The last run.
        next_schedule: When a schedule is due.
    """

    worker: str | None
    champion: str | None
    figures: "Figures | None"
    settings: "Settings"
    last: "Run | None"
    next_schedule: datetime | None

    def as_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "worker": self.worker,
            "champion": self.champion,
            "figures": self.figures and self.figures.shown(),
            "triggers": [asdict(row) for row in rows(self)],
            "last": self.last and self.last.model_dump(exclude={"log", "counted", "decision"}),
            "next_schedule": self.next_schedule,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One trigger: where it stands and where it fires."""

    trigger: str
    now: str
    fires: str


async def read_status() -> Status:
    """Read it all from the store and the topic.

    Raises:
        AisleError: The store is away.
    """
    import asyncio

    from infra.lease import holder_of, utc_now
    from infra.runs import LEASE, Runs
    from infra.settings import load_settings
    from workers.promotion import look_up
    from workers.retrain.triggers import next_due
    from workers.retrain.watched import figures_now, last_cut

    settings = load_settings()
    event = (await asyncio.to_thread(look_up, settings)).event
    async with opened_store() as store:
        runs = Runs(store)
        last = await runs.latest()
        return Status(
            await holder_of(store, LEASE),
            None if event is None else event.model.version,
            await figures_now(store, settings, event, await last_cut(runs)) if event is not None else None,
            settings,
            last[0] if last else None,
            next_due(settings.retrain_schedule, utc_now()),
        )


def rows(status: Status) -> Iterator[Row]:
    """A row for each trigger that is on."""
    figures, settings = status.figures, status.settings
    if figures is None:
        return
    if settings.retrain_corrections:
        yield Row("corrections", f"{figures.corrections}", f"{settings.retrain_corrections}")
    if settings.retrain_new_rows:
        missing = f", {figures.missing_classes} categories missing" if figures.missing_classes else ""
        yield Row("coverage", f"{figures.new_rows} verdicts{missing}", f"{settings.retrain_new_rows} and none missing")
    if settings.retrain_accuracy_floor is not None:
        fires = f"below {settings.retrain_accuracy_floor:.2f}, of {settings.retrain_judged}"
        yield Row("accuracy", _of(figures.accuracy, figures.judged), fires)
    for what, f1, judged, target in (
        ("text", figures.f1_text, figures.judged_text, settings.retrain_f1_target_text),
        ("image", figures.f1_image, figures.judged_image, settings.retrain_f1_target_image),
    ):
        if target is not None:
            yield Row(f"f1_{what}", _of(f1, judged), f"below {target - settings.retrain_f1_margin:.2f}")
    if settings.retrain_drift_share is not None:
        drift = "not known" if figures.drift_share is None else f"{figures.drift_share:.2f}"
        yield Row("drift", drift, f"above {settings.retrain_drift_share:.2f}")
    if status.next_schedule is not None:
        yield Row("schedule", f"{figures.new_rows} verdicts", f"{status.next_schedule:%Y-%m-%d %H:%M} UTC, if any")


def shown(status: Status) -> Iterator[str]:
    """As lines for a terminal."""
    yield f"champion  {status.champion or 'none: run `aisle train DATA`'}"
    yield f"worker    {status.worker or 'none runs: start one with `aisle up`'}"
    table = list(rows(status))
    if table:
        yield ""
        yield click.style(f"{'trigger':12} {'now':32} fires at", bold=True)
    for row in table:
        yield f"{row.trigger:12} {row.now:32} {row.fires}"
    if status.last is not None:
        yield ""
        yield click.style("last run", bold=True)
        yield line(status.last)


def _of(share: float | None, judged: int) -> str:
    return "nothing judged" if share is None else f"{share:.3f} of {judged} judged"
