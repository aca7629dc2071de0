"""What was measured as JSON, as the Markdown of docs/benchmarks.md, and as a picture."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.stream_recovery import rows as recovery_rows
from tests.bench.stream_throughput import AISLE, BARE

BEGIN: Final = "<!-- measured by `make bench ARGS=stream`: begin -->"
END: Final = "<!-- measured by `make bench ARGS=stream`: end -->"
PAGE: Final = "benchmarks.md"
PICTURE: Final = "benchmarks-stream.png"

_MODES: Final = {
    "intake": "intake alone",
    "answers": "validated and answered without a model, deliveries awaited",
    "classify": "classified by the first stage, deliveries awaited",
}
_SHORT: Final = {"intake": "intake", "answers": "no model", "classify": "classified"}
_PARTS: Final = ("fetch", "decode", "validate", "model", "encode", "produce")

Result = Mapping[str, Any]


def write(result: Result, folder: Path, docs: Path | None) -> None:
    """Write all forms of a result.

    Args:
        result: As ``bench_stream.measure`` gives it.
        folder: Gets ``stream.json``, ``stream.md`` and ``stream.png``.
        docs: Folder whose page gets the section and the picture; None: no page does.
    """
    from tests.bench.plot import draw

    (folder / "stream.json").write_text(json.dumps(result, indent=1))
    section = markdown(result)
    (folder / "stream.md").write_text(section)
    draw(result, folder / "stream.png")
    print(section)
    if docs is not None:
        page = docs / PAGE
        page.write_text(placed(page.read_text(), section))
        (docs / PICTURE).write_bytes((folder / "stream.png").read_bytes())


def placed(page: str, section: str) -> str:
    """A page with a section between its markers; the rest of the page stays.

    Raises:
        ValueError: The page has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{section}{END}{after}"


def markdown(result: Result) -> str:
    """All tables of a result."""
    parts = {
        "throughput": _throughput,
        "limits": _limits,
        "scaling": _scaling,
        "rebalance": _rebalance,
        "latency": _latency,
        "memory": _memory,
        "recovery": _recovery,
        "archive": _archive,
    }
    head = f"\nMeasured {result['at'][:10]} on {result['cores']} cores ({result['system']}, Python {result['python']})"
    picture = f"![Rates, CPU by part, latency and workers]({PICTURE})"
    lines = [f"{head}; load before: {result['load']:.1f}.", "", picture, ""]
    for name, part in parts.items():
        if name in result:
            lines += [*part(result), ""]
    lines += [f"Not measured: {name} ({why}).\n" for name, why in result["failed"].items()]
    return "\n".join(lines)


def _throughput(result: Result) -> Iterator[str]:
    rows, plan = result["throughput"], result["sizes"]["throughput"]
    yield (
        f"Events a second of one process: medians of {plan['rounds']} rounds of {plan['seconds']:g} s "
        f"({_smallest(rows):,} events or more each), in turns; in brackets, aisle's rate as a multiple."
    )
    yield ""
    yield from _header(["", *(_MODES[mode] for mode in rows)])
    titles = list(dict.fromkeys(title for by in rows.values() for title in by))
    for title in titles:
        yield _row(title, *(_rate(by, title) for by in rows.values()))
    yield ""
    yield "CPU microseconds an event, of the process + of the broker:"
    yield ""
    yield from _header(["", *(_SHORT[mode] for mode in rows)])
    for title in titles:
        yield _row(title, *(_cpu(by, title) for by in rows.values()))
    yield ""
    yield "aisle's, by part (validate: JSON and the schema at once; produce: the rest of the event loop's thread):"
    yield ""
    yield from _header(["", *_PARTS, "broker"])
    for mode, by in rows.items():
        parts = by[AISLE.title]["parts_us"]
        broker = f"{by[AISLE.title]['broker_us']:.1f}"
        yield _row(_SHORT[mode], *(f"{parts[name]:.1f}" if parts.get(name) else "" for name in _PARTS), broker)


def _smallest(rows: Mapping[str, Mapping[str, Any]]) -> int:
    return int(min(row["events"] for by in rows.values() for row in by.values()))


def _rate(by: Mapping[str, Any], title: str) -> str:
    if title not in by:
        return ""
    ratio = by[AISLE.title]["rate"] / by[title]["rate"]
    return f"{by[title]['rate']:,.0f} ({ratio:.2f})"


def _cpu(by: Mapping[str, Any], title: str) -> str:
    return f"{by[title]['cpu_us']:.1f} + {by[title]['broker_us']:.1f}" if title in by else ""


def _limits(result: Result) -> Iterator[str]:
    found = result["limits"]
    yield (
        f"The limit: the model's {found['model_us']:.1f} µs ({BARE.title}, on batches of the pipeline's size) and "
        f"the broker's {found['broker_us']:.1f} µs allow {found['limit']:,.0f} events/s on {result['cores']} cores."
    )
    yield ""
    yield from _header(["", "events/s", "of the limit", f"of {BARE.title}"])
    yield _row("the process of the table above", *_shares(found["pipeline"], found["limit"], found["bare"]))
    for row in result.get("scaling", ()):
        limit = result["cores"] * 1e6 / (found["model_us"] + row["broker_us"])
        yield _row(f"seen from outside, workers: {row['workers']:g}", *_shares(row["rate"], limit, found["bare"]))


def _shares(rate: float, limit: float, bare: float) -> Iterator[str]:
    yield from (f"{rate:,.0f}", f"{rate / limit:.2f}", f"{rate / bare:.2f}")


def _scaling(result: Result) -> Iterator[str]:
    rows = result["scaling"]
    yield "Workers on the same cores, seen from outside; CPU microseconds an event; the event loops' lag meanwhile."
    yield ""
    yield from _header(["workers", "events/s", "of one worker's", "workers' CPU", "broker's CPU", "lag p99, ms"])
    for row in rows:
        share = row["rate"] / rows[0]["rate"]
        cpu = (f"{row['cpu_us']:.1f}", f"{row['broker_us']:.1f}")
        yield _row(f"{row['workers']:g}", f"{row['rate']:,.0f}", f"{share:.2f}", *cpu, f"{row['lag_p99_ms']:.1f}")


def _rebalance(result: Result) -> Iterator[str]:
    found = result["rebalance"]
    yield (
        f"A second worker joined under load and left by SIGTERM (exit status {found['status_of_the_one_that_left']}): "
        f"of {found['published']:,} events {found['answered']:,} were answered, {found['by_the_second']:,} by the "
        f"second worker; {found['twice']:,} were handled twice."
    )


def _latency(result: Result) -> Iterator[str]:
    yield "From produce to prediction, one worker, milliseconds; the load is made on the same cores."
    yield ""
    names = ["load", "events/s", "p50", "p95", "p99", "batch, events", "the model alone", "lag p99", "missing"]
    yield from _header(names)
    for row in result["latency"]:
        times = (f"{row[name]:.1f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
        alone = (_figure(row["batch_events"]), f"{row['model_ms']:.1f}", _figure(row["lag_p99_ms"]), row["missing"])
        yield _row(f"{row['share']:.0%}", f"{row['sent_rate']:,.0f}", *times, *alone)


def _memory(result: Result) -> Iterator[str]:
    yield "Resident memory of a worker with events waiting, and the time from its start to the first prediction."
    yield ""
    yield from _header(["events waiting", "MB", "most, MB", "of the first", "first prediction, s"])
    rows = result["memory"]
    for row in rows:
        share = row["rss_mb"] / rows[0]["rss_mb"]
        megabytes = (f"{row['rss_mb']:.0f}", f"{row['peak_mb']:.0f}")
        yield _row(f"{row['waiting']:,}", *megabytes, f"{share:.2f}", f"{row['first_prediction_s']:.1f}")


def _recovery(result: Result) -> Iterator[str]:
    found = result["recovery"]
    yield f"After a SIGKILL under a steady load, two workers, session timeout {found['session_timeout_s']:g} s."
    yield ""
    yield from _header(["", "seconds"])
    for title, seconds in recovery_rows(found):
        yield _row(title, "not in time" if seconds is None else f"{seconds:.1f}")


def _archive(result: Result) -> Iterator[str]:
    found = result["archive"]
    yield (
        f"The archive wrote {found['documents']:,} documents of two parts in {found['seconds']:.1f} s: "
        f"{found['documents_per_s']:,.0f} documents/s, {found['writes_per_s']:,.0f} writes/s (store: {found['store']}, "
        f"{found['store_us']:,.0f} µs of its CPU a document)."
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _header(names: Sequence[str]) -> Iterator[str]:
    yield _row(*names)
    yield "|---|" + "---:|" * (len(names) - 1)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
