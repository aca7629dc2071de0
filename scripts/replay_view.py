"""What ``aisle replay`` says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scripts.output import printable

if TYPE_CHECKING:
    from scripts.replay_run import Run
    from streams.replay.checkpoint import Replay


def outcome(task: "Run", *, dry_run: bool) -> str:
    """One line on what was done, and one on what was left out."""
    events = f"{task.counted.events:,} products" if task.topic == "products.in" else f"{task.counted.events:,} records"
    if task.asked.model is not None and not dry_run and task.replay is not None:
        lines = [
            f"{task.counted.events:,} products classified in {task.seconds:.1f} s; what would change:",
            f"  aisle replay compare {task.replay.id}",
        ]
    elif dry_run:
        lines = [f"{events} would go to {task.topic}"]
    else:
        rate = f", {task.counted.events / task.seconds:,.0f}/s" if task.seconds >= 1 else ""
        lines = [f"{events} sent to {task.topic} in {task.seconds:.1f} s{rate}"]
    if task.passed_over:
        lines.append("passed over: " + ", ".join(f"{count:,} {why}" for why, count in task.passed_over.most_common()))
    return "\n".join(lines)


def said(task: "Run") -> str:
    """What one reads who stopped it."""
    if task.replay is None:
        return "stopped before anything was sent"
    return (
        f"stopped; {task.replay.events:,} of {task.replay.total:,} are sent, and the rest by\n"
        f"  aisle replay --resume {task.replay.id}"
    )


def listed(replays: "list[Replay]") -> Iterator[str]:
    """A line for each, within 80 columns."""
    if not replays:
        yield "no replays yet"
        return
    yield f"{'replay':22} {'state':8} {'sent':>12} {'of':>12}  from"
    for one in replays:
        state = "ended" if one.ended_at else "open"
        source = printable(_source(one))
        yield f"{one.id:22} {state:8} {one.events:>12,} {one.total:>12,}  {source[:21]}"


def _source(replay: "Replay") -> str:
    options = replay.options
    if "file" in options:
        return str(options["file"]).rpartition("/")[2]
    if "topic" in options:
        return str(options["topic"])
    return "items" if options.get("items") else "dead letters"
