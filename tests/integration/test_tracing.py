"""The trace of a product over a real broker and store, with each process as it runs in earnest."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from schemas.http.account import Role
from tests.integration.conftest import Services
from tests.integration.gateways import Gateway, serving
from tests.integration.road import wait
from tests.integration.test_worker import causes, free_port, worker
from tests.otlp import Collector, Seen, collecting

pytestmark = [pytest.mark.integration, pytest.mark.contract, pytest.mark.timeout(300)]

CALLER = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where all of them send their spans."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def running(
    services: Services, collector: Collector, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway, a classify worker and an archive that begin no trace, and go on with those that come."""
    folder = tmp_path_factory.mktemp("tracing")
    more = {"model": bundle, "tracing_otlp_endpoint": collector.url, "tracing_sample_ratio": 0.0}
    with ExitStack() as stack:
        gateway = stack.enter_context(serving(services.kafka_bootstrap, services.mongodb_uri, folder, **more))
        ports = []
        for name in ("classify", "archive"):
            settings = gateway.settings.model_copy(update={"health_port": free_port()})
            stack.enter_context(worker(name, settings, folder / f"{name}.log"))
            ports.append(settings.health_port)
        wait(lambda: all(causes(port) == {} for port in ports), 120)
        yield gateway


def test_one_product_is_one_trace_from_the_request_to_the_store(running: Gateway, collector: Collector) -> None:
    """Whoever calls finds below their own span what each process did, in the order of the road; and nothing else."""
    trace = uuid4().hex
    with running.client(Role.REVIEWER) as caller:
        caller.post("/api/v1/predictions", json={"title": "not traced"}).raise_for_status()
        event_id = ask(caller, trace)
        wait(lambda: {"process predictions.out", "update items"} <= names_of("archive", collector, trace), 60)

        judged = uuid4().hex
        verdict = {"verdicts": [{"event_id": event_id, "verdict": "validated"}]}
        caller.post("/api/v1/verdicts", json=verdict, headers=parent(judged)).raise_for_status()
        wait(lambda: {"process feedback", "send verdicts"} <= names_of("archive", collector, judged), 60)

    spans = {(one.service, one.name): one for one in collector.trace(trace)}
    request = spans["aisle-gateway", "POST /api/v1/predictions"]
    sent = spans["aisle-gateway", "send products.in"]
    event, batch = spans["aisle-classify", "process products.in"], spans["aisle-classify", "classify batch"]
    stored = spans["aisle-archive", "process predictions.out"]
    assert [CALLER, request.span, sent.span, event.span] == [one.parent for one in (request, sent, event, stored)]
    assert (event.span, ((trace, event.span),)) == (batch.parent, batch.links)
    assert batch.span == spans["aisle-classify", "send predictions.out"].parent
    assert batch.span == spans["aisle-classify", "classify"].parent
    assert sent.span == spans["aisle-archive", "process products.in"].parent
    assert event_id == sent.attributes["aisle.event_id"] == event.attributes["aisle.event_id"]
    batches = {one.span: one for one in collector.trace(trace) if one.name == "archive batch"}
    writes = [one for one in collector.trace(trace) if one.name == "update items"]
    assert stored.span in {batches[write.parent].parent for write in writes}
    assert {trace, judged} == {span.trace for span in collector.spans}
    assert [] == [span for span in collector.spans if span.failed]


def ask(caller: httpx.Client, trace: str) -> str:
    """Have a product classified within a trace; its event id."""
    answer = caller.post("/api/v1/predictions", json={"title": "traced"}, headers=parent(trace)).raise_for_status()
    event_id: str = answer.json()["event_id"]
    return event_id


def parent(trace: str) -> dict[str, str]:
    """The headers of a caller in a trace that is sampled."""
    return {"traceparent": f"00-{trace}-{CALLER}-01"}


def names_of(worker: str, collector: Collector, trace: str) -> set[str]:
    """What a worker has told of a trace so far."""
    spans: list[Seen] = collector.trace(trace)
    return {span.name for span in spans if span.service == f"aisle-{worker}"}
