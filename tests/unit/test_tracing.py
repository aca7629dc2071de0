"""Traces of products on their way: what belongs to which, what is left out, and what it costs to have none."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from pydantic import ValidationError

import infra.tracing
from infra.errors import BrokerUnavailable
from infra.kafka.producer import OutRecord
from infra.metrics import REGISTRY
from infra.settings import Settings
from infra.tracing import traced
from infra.tracing.commands import StoreCommands
from infra.tracing.export import Bounded, Tracing
from infra.tracing.steps import step
from model.bundle import read_manifest
from schemas.headers import ATTEMPTS, REPLAY, TRACEPARENT, TRACESTATE, last_text
from schemas.http.account import Role
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ
from streams.classify import ClassifyStage
from streams.decode import id_of
from streams.inference import Inference
from streams.traced import archive_stage, classify_stage, sender
from streams.traced.model import TracedClassifier
from tests.bundles import make_bundle
from tests.gateway import client, gateway
from tests.otlp import collecting
from tests.records import record
from tests.unit.test_cascade import Scripted, cascade
from tests.unit.test_classify import OneAnswer
from workers.gateway.road.answers import Answers
from workers.gateway.traced import road_class

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


class Spans:
    """The spans that have ended, by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, share: float = 1) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        monkeypatch.setattr(infra.tracing, "_now", Tracing(provider))

    def all(self) -> list[ReadableSpan]:
        """All of them, in the order they ended."""
        return list(self._exporter.get_finished_spans())

    def names(self) -> set[str]:
        """What they are called."""
        return {span.name for span in self.all()}

    def one(self, name: str) -> ReadableSpan:
        """The only one of a name."""
        (span,) = [span for span in self.all() if span.name == name]
        return span


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Tracing is on, and everything is sampled that comes without a decision."""
    return Spans(monkeypatch)


class Outbox:
    """A producer that keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: dict[str, list[OutRecord]] = {}

    async def partition_of(self, _topic: str, _key: bytes) -> int:
        """The first one."""
        return 0

    async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
        """Keep them."""
        self.sent.setdefault(topic, []).extend(records)


def product(number: int, parent: str | None = None, *headers: tuple[str, bytes], title: str = "tea") -> ConsumerRecord:
    """A record of a product, sent from a span."""
    context = [] if parent is None else [(TRACEPARENT, parent.encode())]
    value = b'{"product_id": "%d", "title": "%s"}' % (number, title.encode())
    return record(value, offset=number, headers=[*context, *headers])


async def classify(records: list[ConsumerRecord], model: Any = None) -> Outbox:
    """What the classify agent sends for records."""
    outbox = Outbox()
    stage = classify_stage(ClassifyStage(Inference(model or OneAnswer(), deadline_s=5), sender(outbox)))
    await stage.deliver(await stage.work(stage.decode(records)))
    return outbox


def ids(span: ReadableSpan) -> tuple[str, str]:
    """A span's trace and its own id, as W3C writes them."""
    assert span.context is not None
    return format_trace_id(span.context.trace_id), format_span_id(span.context.span_id)


def parent(span: ReadableSpan) -> str | None:
    """The id of the span that it is part of."""
    return None if span.parent is None else format_span_id(span.parent.span_id)


def links(span: ReadableSpan) -> set[tuple[str, str]]:
    """What it has links to, as trace and span."""
    return {(format_trace_id(one.context.trace_id), format_span_id(one.context.span_id)) for one in span.links}


def context(out: OutRecord) -> tuple[str, str, bool]:
    """The trace and the span in the headers of what is sent, and whether they are sampled."""
    _, trace, span, flags = (last_text(out.headers, TRACEPARENT) or "").split("-")
    return trace, span, bool(int(flags, 16) & 1)


async def test_a_products_trace_goes_on_through_the_classify_agent(spans: Spans) -> None:
    """Its span is part of the sender's, the batch's of it, the steps of that; the prediction carries it on."""
    outbox = await classify([product(1, SAMPLED, (TRACESTATE, b"vendor=1"), title="a secret")])

    event, batch = spans.one("process products.in"), spans.one("classify batch")
    assert (TRACE, SPAN) == (ids(event)[0], parent(event))
    assert SpanKind.CONSUMER == event.kind
    assert {ids(event)} == links(batch)
    assert ids(event)[1] == parent(batch)
    for name in ("decode", "send predictions.out"):
        assert ids(batch)[1] == parent(spans.one(name)), name
    (prediction,) = outbox.sent[PREDICTIONS_OUT]
    assert (*ids(event), True) == context(prediction)
    assert "vendor=1" == last_text(prediction.headers, TRACESTATE)
    said = dict(event.attributes or {})
    assert ("1", 0.5, "text") == (said["aisle.category"], said["aisle.confidence"], said["aisle.decided_by"])
    assert "a secret" not in str([dict(span.attributes or {}) for span in spans.all()])


async def test_a_batch_has_links_to_all_its_traced_events(spans: Spans) -> None:
    """It lies in the first one's trace; every other has a link to it, and its prediction stays in its own trace."""
    other = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"
    outbox = await classify([product(1, NOT_SAMPLED), product(2, SAMPLED), product(3, other)])

    batch = spans.one("classify batch")
    events = [one for one in spans.all() if one.name == "process products.in"]
    first, second = sorted(events, key=lambda one: one.start_time or 0)
    assert [TRACE, "c" * 32] == [ids(first)[0], ids(second)[0]]
    assert ids(first)[1] == parent(batch)
    assert {ids(first), ids(second)} == links(batch)
    assert {ids(batch)} == links(second)
    assert [NOT_SAMPLED, ids(first)[1], ids(second)[1]] == [
        last_text(outbox.sent[PREDICTIONS_OUT][0].headers, TRACEPARENT),
        *(context(one)[1] for one in outbox.sent[PREDICTIONS_OUT][1:]),
    ]


async def test_who_sends_a_trace_along_has_decided_whether_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a share of nothing, what was sampled before is kept and nothing else: no span, and no header either."""
    spans = Spans(monkeypatch, share=0)

    outbox = await classify([product(1), product(2, NOT_SAMPLED)])
    assert set() == spans.names()
    first, second = outbox.sent[PREDICTIONS_OUT]
    assert (None, NOT_SAMPLED) == (last_text(first.headers, TRACEPARENT), last_text(second.headers, TRACEPARENT))

    await classify([product(3, SAMPLED)])
    assert TRACE == ids(spans.one("process products.in"))[0]


@pytest.mark.parametrize("header", [(REPLAY, b"r1"), (ATTEMPTS, b"1")])
async def test_what_is_sent_again_begins_a_trace_with_a_link_to_the_old_one(
    monkeypatch: pytest.MonkeyPatch, header: tuple[str, bytes]
) -> None:
    """A replay and a dead letter that is tried again; where the new one is not sampled, nothing adds to the old."""
    spans = Spans(monkeypatch)
    outbox = await classify([product(1, SAMPLED, header)])

    event = spans.one("process products.in")
    assert (None, {(TRACE, SPAN)}) == (parent(event), links(event))
    assert TRACE != ids(event)[0]
    assert (*ids(event), True) == context(outbox.sent[PREDICTIONS_OUT][0])

    none = Spans(monkeypatch, share=0)
    trace, _, sampled = context((await classify([product(1, SAMPLED, header)])).sent[PREDICTIONS_OUT][0])
    assert set() == none.names()
    assert trace != TRACE
    assert not sampled


async def test_a_dead_letter_keeps_its_headers_and_its_span_says_why(spans: Spans) -> None:
    """Its headers are those that it came with, the trace's among them; the product beside it did not fail."""
    outbox = await classify([product(1, SAMPLED, title="poison"), product(2)])

    (letter,) = outbox.sent[PRODUCTS_DLQ]
    assert SAMPLED == last_text(letter.headers, TRACEPARENT)
    failed = {ids(one)[0]: one for one in spans.all() if one.name == "process products.in"}
    said = {trace: (is_failed(one), (one.attributes or {}).get("error.type")) for trace, one in failed.items()}
    assert (True, "event-poisonous") == said.pop(TRACE)
    assert [(False, None)] == list(said.values())


async def test_a_batch_that_fails_says_so(spans: Spans) -> None:
    """What ends the process is in the trace: its spans have ended, as failed."""

    class Away(Outbox):
        async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
            raise ConnectionError(topic, records)

    stage = classify_stage(ClassifyStage(Inference(OneAnswer(), deadline_s=5), sender(Away())))
    with pytest.raises(ConnectionError):
        await stage.deliver(await stage.work(stage.decode([product(1, SAMPLED)])))

    for name in ("process products.in", "classify batch", "send predictions.out"):
        assert is_failed(spans.one(name)), name


async def test_what_fails_is_told_by_its_kind_and_not_in_its_words(spans: Spans) -> None:
    """An error may quote the product that it is of: no span has its message or its traceback, and all have ended."""

    class Quoting(Nothing):
        def decode(self, records: Sequence[ConsumerRecord]) -> int:
            raise ValueError(f"could not convert {records[0].value!r}")

    with pytest.raises(ValueError, match="a secret"):
        archive_stage(Quoting()).decode([product(1, SAMPLED, title="a secret")])

    for name in ("process products.in", "archive batch", "decode"):
        assert is_failed(spans.one(name)), name
        assert "ValueError" == (spans.one(name).attributes or {})["error.type"]
    assert "a secret" not in " ".join(span.to_json() for span in spans.all())


async def test_a_product_that_cannot_be_sent_is_told_by_its_kind(spans: Spans) -> None:
    """Neither the gateway's own span has more."""
    with pytest.raises(BrokerUnavailable):
        await road_class()(Answers(10)).publish(Product(product_id="p1", title="tea"), id_of(product(1)))

    sending = spans.one("send products.in")
    assert is_failed(sending)
    assert ("BrokerUnavailable", ()) == ((sending.attributes or {})["error.type"], sending.events)


async def test_each_stage_that_is_asked_has_a_span(spans: Spans, tmp_path: Path) -> None:
    """The model runs on a thread of its own, and its spans are the batch's all the same: only the unsure go on."""
    names = ["text", "text-rich"]
    manifest = read_manifest(make_bundle(tmp_path, "1", codes=("a", "b", "c"), stages=names, prior=[0.5, 0.3, 0.2]))
    model = TracedClassifier(manifest, cascade([Scripted(name, ("title", "description"), 0.9) for name in names]))
    await classify([product(1, SAMPLED, title="tea 1"), product(2, title="tea x")], model)

    call, rows = spans.one("classify"), {}
    assert ids(spans.one("classify batch"))[1] == parent(call)
    for name in ("preprocess", "stage text", "stage text-rich"):
        assert ids(call)[1] == parent(spans.one(name)), name
        rows[name] = (spans.one(name).attributes or {})["aisle.rows"]
    assert {"preprocess": 2, "stage text": 2, "stage text-rich": 1} == rows


class Nothing:
    """An agent's stage that does nothing."""

    def decode(self, records: Sequence[ConsumerRecord]) -> int:
        """How many they are."""
        return len(records)

    async def work(self, decoded: int) -> int:
        """Nothing."""
        return decoded

    async def deliver(self, results: int) -> None:
        """Ask the store something."""
        listener = StoreCommands()
        for number, command in enumerate(("update", "find")):
            about: Any = {"request_id": number, "connection_id": ("store", 1), "command_name": command}
            document = {command: "items", "updates": ["a product's text"] * results}
            listener.started(SimpleNamespace(**about, command=document, database_name="aisle"))  # type: ignore[arg-type] # as PyMongo's
            failed = SimpleNamespace(**about, failure={"code": 11600})
            listener.failed(failed) if number else listener.succeeded(failed)  # type: ignore[arg-type] # as above

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> int:
        """Nothing."""
        return len(records) * tries


async def test_the_archive_goes_on_with_traces_and_begins_none(spans: Spans) -> None:
    """What it asks of the store is part of its batch, told without a word of what is written."""
    stage = archive_stage(Nothing())
    for records in ([product(1)], [product(2, SAMPLED)], [product(3, SAMPLED, (REPLAY, b"r1"))]):
        await stage.deliver(await stage.work(stage.decode(records)))

    assert (TRACE, SPAN) == (ids(spans.one("process products.in"))[0], parent(spans.one("process products.in")))
    batch, update, find = spans.one("archive batch"), spans.one("update items"), spans.one("find items")
    assert [ids(batch)[1]] * 2 == [parent(update), parent(find)]
    assert [False, True] == [is_failed(update), is_failed(find)]
    assert "text" not in str(update.attributes)


async def test_a_request_is_where_a_products_trace_begins(spans: Spans, tmp_path: Path) -> None:
    """It is part of the caller's trace, has the route's name, and no query, as reading is not traced at all."""
    app, _ = gateway(tmp_path)
    async with client(app, Role.CUSTOMER) as caller:
        headers = {TRACEPARENT: SAMPLED}
        asked = await caller.post("/api/v1/predictions", json={"title": "tea"}, headers=headers)
        await caller.get("/api/v1/taxonomy?secret=1")
        await caller.post("/api/v1/auth/sign-in", json={})

    assert 503 == asked.status_code, "no broker"
    assert {"POST /api/v1/predictions"} == spans.names()
    request = spans.one("POST /api/v1/predictions")
    assert (TRACE, SPAN, SpanKind.SERVER) == (ids(request)[0], parent(request), request.kind)


async def test_a_product_is_sent_from_a_span_of_its_request(spans: Spans) -> None:
    """Its headers name the span of sending, and a verdict's that of whatever is current."""
    answers = Answers(10)
    answers.away = None
    road, sent = road_class()(answers), []

    async def send_and_wait(topic: str, _value: bytes, *, key: bytes, headers: list[tuple[str, bytes]]) -> None:
        sent.append((topic, key, headers))

    road.producer = SimpleNamespace(send_and_wait=send_and_wait)
    event_id = id_of(product(1))
    await road.publish(Product(product_id="p1", title="tea"), event_id)

    (_, _, headers), span = sent[0], spans.one("send products.in")
    assert (*ids(span), True) == context(OutRecord(0, None, None, headers))
    assert event_id == (span.attributes or {})["aisle.event_id"]
    assert [] == road.context(), "outside of any trace"


class Slow(SpanExporter):
    """A collector that takes nothing until it is let, and then refuses."""

    def __init__(self) -> None:
        self.free, self.busy = Event(), Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Wait, and fail."""
        self.busy.set()
        assert self.free.wait(30), spans
        raise ConnectionError("gone")


def test_a_collector_that_is_away_costs_spans_and_nothing_else() -> None:
    """So many wait and no more; who is traced neither waits nor fails; what is lost is counted, by why."""
    slow = Slow()
    bounded = Bounded(slow, most=8, every_ms=1)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(bounded)
    tracer = provider.get_tracer("test")
    before = {outcome: count(outcome) for outcome in ("sent", "lost", "dropped")}

    tracer.start_span("first").end()
    assert slow.busy.wait(30)
    for _ in range(20):
        tracer.start_span("more").end()
    assert 12 == count("dropped") - before["dropped"]
    slow.free.set()
    provider.shutdown()

    assert {"sent": 0, "lost": 9, "dropped": 12} == {name: count(name) - was for name, was in before.items()}


def test_traces_go_to_the_collector_of_the_settings() -> None:
    """By OTLP over HTTP, under the worker's name; at the end what still waits is sent."""
    with collecting() as collector:
        with traced(Settings(tracing_otlp_endpoint=f"{collector.url}/", tracing_service="shop"), "classify"):
            on = infra.tracing.tracing()
            assert on is not None
            with on.tracer.start_as_current_span("outer"), step("inner", {"aisle.rows": 3}):
                pass
        assert infra.tracing.tracing() is None

    outer, inner = sorted(collector.spans, key=lambda span: span.start_ns)
    assert ("shop-classify", "outer", "") == (outer.service, outer.name, outer.parent)
    assert (outer.trace, outer.span, {"aisle.rows": 3}) == (inner.trace, inner.parent, inner.attributes)


def test_a_collector_is_named_by_its_url() -> None:
    """Anything else is told at the start."""
    with pytest.raises(ValidationError, match="must begin with http"):
        Settings(tracing_otlp_endpoint="localhost:4317")


OFF = """
import sys
from infra.settings import Settings
from infra.tracing import traced
import streams.classify_worker, streams.archive_worker
from infra.store import Store
from streams.loading import classifier_class
from streams.traced import archive_stage, classify_stage, photo_reader, sender
from streams.photos import PhotoReader
with traced(Settings(_env_file=None, tracing_otlp_endpoint=None), "classify"):
    Store("mongodb://127.0.0.1:1", "test").close()
    part = object()
    assert part is sender(part) is classify_stage(part) is archive_stage(part)
    assert "Classifier" == classifier_class().__name__
    assert PhotoReader is type(photo_reader(Settings(_env_file=None)))
    assert not [name for name in sys.modules if name.startswith("opentelemetry")]
    import workers.gateway.worker  # FastAPI has OpenTelemetry's interface with it
    from workers.gateway.traced import road_class
    assert "Road" == road_class().__name__
    assert not [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
"""


def test_off_nothing_of_it_is_there() -> None:
    """Workers import nothing of OpenTelemetry, and every part of them is itself, with nothing around it."""
    done = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr[-2_000:]


def count(outcome: str) -> float:
    """How many spans have come to such an end."""
    return REGISTRY.get_sample_value("aisle_trace_spans_total", {"outcome": outcome}) or 0.0


def is_failed(span: ReadableSpan) -> bool:
    """Whether it says that something was wrong."""
    return span.status.status_code is StatusCode.ERROR
