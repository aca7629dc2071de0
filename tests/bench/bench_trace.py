"""The trace of one product, drawn: ``python -m tests.bench trace``.

`aisle up` sends its spans to a collector that is part of this; products are sent by HTTP, one after another. Of those
that came after the first, which meet cold caches, the one is drawn that took the median time from request to store.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from infra.local.ports import any_free_port
from infra.settings import Settings
from tests.bench.bench_gateway import sign_in
from tests.bench.bench_stream import bundle
from tests.bench.trace_picture import draw
from tests.integration.road import Road, wait
from tests.otlp import Collector, Seen, collecting

_PREDICT: Final = "POST /api/v1/predictions"
_FIRST: Final = 15
_PAUSE_S: Final = 0.3
_PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "trace.png"
_PRODUCT: Final = {
    "title": "Confiture de fraises extra",
    "description": "Fraises, sucre de canne, jus de citron. Pot de 370 g.",
}


def main(arguments: Sequence[str]) -> None:
    """Send products, print the spans of one, and draw them."""
    parser = argparse.ArgumentParser(prog="bench trace", description=__doc__, allow_abbrev=False)
    parser.add_argument("--docs", action="store_true", help="draw into docs/pictures/trace.png")
    parser.add_argument("--products", type=int, default=40)
    options = parser.parse_args(arguments)
    path = _PICTURE if options.docs else Path("var/bench/trace.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="aisle-trace-") as folder, collecting() as collector:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder) / "data",
            model=bundle(print),
            gateway_port=any_free_port(),
            tracing_otlp_endpoint=collector.url,
        )
        road = Road(settings, Path(folder) / "up.log", "--no-learning")
        road.start(300)
        try:
            _send(road, collector, options.products)
        finally:
            road.stop()
        trace = _median(collector)
    _print(trace)
    when = datetime.fromtimestamp(trace[0].start_ns / 1e9, UTC)
    said = f"{when:%Y-%m-%d}, `aisle up` on 2 cores: {len(trace)} spans of one trace, trace id {trace[0].trace}"
    draw(trace, path, said)
    print(f"drawn into {path}")


def _send(road: Road, collector: Collector, products: int) -> None:
    key = asyncio.run(sign_in(road))
    with httpx.Client(base_url=road.gateway, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        for number in range(products):
            answer = client.post("/api/v1/predictions", json=_PRODUCT | {"product_id": f"jam-{number}"})
            assert answer.is_success, answer.text
            time.sleep(_PAUSE_S)  # apart, so that each is a batch of its own
    wait(lambda: len(_whole(collector)) == products, 60)


def _whole(collector: Collector) -> list[list[Seen]]:
    """The traces that have come to the store, in the order of their requests."""
    roots = sorted((span for span in collector.spans if span.name == _PREDICT), key=lambda span: span.start_ns)
    traces = [collector.trace(root.trace) for root in roots]
    return [trace for trace in traces if any(span.name == "process predictions.out" for span in trace)]


def _median(collector: Collector) -> list[Seen]:
    warm = sorted(_whole(collector)[_FIRST:], key=lambda trace: max(span.end_ns for span in trace) - trace[0].start_ns)
    return warm[len(warm) // 2]


def _print(trace: Sequence[Seen]) -> None:
    for span in trace:
        start_ms, took_ms = (span.start_ns - trace[0].start_ns) / 1e6, (span.end_ns - span.start_ns) / 1e6
        print(f"{start_ms:8.2f} ms {took_ms:8.2f} ms  {span.service:15} {span.name}")
