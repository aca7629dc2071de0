"""What a run has shown: each fault with the answers it doubled, the sums, and what is wrong, if anything."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from infra.settings import Settings
from tests.chaos.audit import Audit, Repeat, Verdict
from tests.chaos.faults import Happened
from tests.chaos.schedule import BROKER, WORKERS

IN_FLIGHT: Final = 3
"""Batches a worker has under way: one in hand, one ready, one arriving."""
_COMMIT_DELAY_S: Final = 1.0
"""How much later than its interval a commit may come on a busy machine."""
_TRIES: Final = 3
_WORKERS_HURT: Final = {"model_broken": _TRIES * len(WORKERS), "event_kills": _TRIES, "event_hangs": _TRIES}


@dataclass(frozen=True, slots=True)
class Doubled:
    """A fault, the answers that came again because of it, and how many may."""

    happened: Happened
    repeats: int
    limit: int


@dataclass
class Report:
    """All of it; ``wrong`` is empty when every promise held."""

    seed: int
    form: str
    events: int
    lasts_s: float
    store: str
    took_s: float
    published: int
    dead_expected: int
    dead_predicted: int
    samples_missed: int
    unexcused: int
    """Answers twice before any fault."""
    verdict: Verdict
    faults: list[Doubled]
    began: float
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "right": not self.wrong}


def judge(report: Report) -> list[str]:
    """What is wrong, in words."""
    verdict = report.verdict
    wrong = [f"{name.replace('_', ' ')}: {count:,}" for name, count in verdict.wrong.items()]
    if verdict.published != report.published:
        wrong.append(f"the broker took {report.published:,} events and its topic holds {verdict.published:,}")
    if verdict.dead_lettered != report.dead_expected:
        wrong.append(f"{verdict.dead_lettered:,} dead letters in place of {report.dead_expected:,}")
    if report.dead_predicted:
        wrong.append(f"{report.dead_predicted:,} events were predicted that no model gets")
    if report.unexcused:
        wrong.append(f"{report.unexcused:,} answers twice before any fault")
    wrong += [
        f"{name_of(row.happened)} at {row.happened.began - report.began:.1f} s: {row.repeats:,} answers twice,"
        f" {row.limit:,} may"
        for row in report.faults
        if row.repeats > row.limit
    ]
    return wrong


def doubled(audit: Audit, happened: Sequence[Happened], settings: Settings) -> tuple[list[Doubled], int]:
    """Each fault with its share of the repeats and its limit; and the repeats that no fault excuses."""
    faults = sorted(happened, key=lambda one: one.began)
    causes = [one for one in faults if _workers_hurt(one)]
    reach_s = settings.commit_interval_s + _COMMIT_DELAY_S
    owners = Counter(owner(repeat, causes, reach_s) for repeat in audit.repeats)
    times = sorted(audit.answers)
    rows = []
    for one in faults:
        place = next((place for place, cause in enumerate(causes) if cause is one), None)
        if place is None:
            rows.append(Doubled(one, 0, 0))
        else:
            rows.append(Doubled(one, owners[place], _limit(one, times, settings)))
    return rows, owners[None]


def owner(repeat: Repeat, causes: Sequence[Happened], reach_s: float) -> int | None:
    """The fault a repeat is due to.

    The first that began shortly after the answer before was made, and so kept it from being committed; else the
    last that had begun by then, whose rebalance undid it.

    Args:
        repeat: An answer that was there before.
        causes: In the order of their beginnings.
        reach_s: How long an answer may wait for its commit, in seconds.
    """
    before, again = repeat.before_ms / 1_000, repeat.again_ms / 1_000
    after = bisect_left([cause.began for cause in causes], before)
    if after < len(causes) and causes[after].began <= min(before + reach_s, again):
        return after
    return after - 1 if after else None


def _limit(one: Happened, times: Sequence[int], settings: Settings) -> int:
    """Batches in flight of the workers it hurts, and the answers of the last commit interval."""
    hurt = _workers_hurt(one)
    in_flight = IN_FLIGHT * settings.batch_max_events * hurt
    moments = {one.began, one.ended} if one.fault.kind == "pause" or one.fault.target == BROKER else {one.began}
    tries = _WORKERS_HURT.get(one.fault.kind, 1)
    return in_flight + tries * sum(_between(times, moment - settings.commit_interval_s, moment) for moment in moments)


def _workers_hurt(one: Happened) -> int:
    if one.fault.target in WORKERS:
        return 1
    if one.fault.target == BROKER:
        return len(WORKERS)
    return _WORKERS_HURT.get(one.fault.kind, 0)


def _between(times: Sequence[int], begin_s: float, end_s: float) -> int:
    return bisect_right(times, end_s * 1_000) - bisect_left(times, begin_s * 1_000)


def name_of(one: Happened) -> str:
    """A fault in words."""
    return f"{one.fault.kind.replace('_', ' ')} {one.fault.target}".strip()


def markdown(report: Report) -> str:
    """For people: the faults, the sums, the verdict."""
    lines = ["| at s | fault | over after s | answers twice | at most |", "|---:|---|---:|---:|---:|"]
    lines += [
        f"| {row.happened.began - report.began:.1f} | {name_of(row.happened)} |"
        f" {row.happened.ended - row.happened.began:.1f} | {row.repeats:,} | {row.limit:,} |"
        for row in report.faults
    ]
    verdict = report.verdict
    sums = {
        "published": verdict.published,
        "predicted": verdict.predicted,
        "dead letters": verdict.dead_lettered,
        "lost": verdict.lost,
        "answers twice": verdict.repeated,
        "out of order": verdict.out_of_order,
        "wrongly committed": f"{verdict.wrongly_committed:,} in {verdict.commits_checked:,} checks",
        "documents": verdict.documents,
        "events without their document": verdict.not_archived,
    }
    lines += ["", "| sum | |", "|---|---:|"]
    lines += [f"| {name} | {count if isinstance(count, str) else f'{count:,}'} |" for name, count in sums.items()]
    lines += ["", f"{report.form} form, seed {report.seed}, {report.store} store, {report.took_s:.0f} s in all"]
    lines += [f"WRONG: {line}" for line in report.wrong] or ["every promise held"]
    return "\n".join(lines)
