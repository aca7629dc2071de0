"""A process's word on its health."""

import socket

import aiohttp
import pytest
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

from infra.errors import PortTaken
from infra.health import Health


async def ask(port: int, what: str) -> tuple[int, dict[str, object]]:
    """Status and body of an answer."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/health/{what}") as answer:
        return answer.status, await answer.json()


async def test_not_ready_says_what_is_waited_for() -> None:
    """503 names each thing that is missing and why; 200 once all is there; alive all the while."""
    health = Health()
    async with health.serve(0) as port:
        health.waits_for("model", "no champion")
        assert await ask(port, "ready") == (
            503,
            {"status": "not ready", "causes": {"start": "starting", "model": "no champion"}},
        )
        assert await ask(port, "live") == (200, {"status": "alive"})

        health.has("model")
        health.has("start")
        assert await ask(port, "ready") == (200, {"status": "ready"})


async def test_a_word_for_people_changes_neither_state() -> None:
    """What is not as it should be, and needs no restart, is told beside; the last word counts."""
    health = Health()
    health.has("start")
    async with health.serve(0) as port:
        for word in ("a model", "another model"):
            health.says("model", word)
        for what, status in (("ready", "ready"), ("live", "alive")):
            assert await ask(port, what) == (200, {"status": status, "details": {"model": "another model"}})


async def test_stuck_is_neither_alive_nor_ready() -> None:
    """A failed liveness check shows on both pages, with its cause, and goes when the cause does."""
    stuck = ["a batch has been in hand for 99 s"]
    health = Health()
    health.has("start")
    health.add_liveness("batch", lambda: stuck[0] if stuck else None)
    async with health.serve(0) as port:
        for what in ("live", "ready"):
            status, body = await ask(port, what)
            assert (status, body["causes"]) == (503, {"batch": stuck[0]})
        stuck.clear()
        assert (await ask(port, "live"))[0] == 200


async def test_only_the_loopback_address_answers() -> None:
    """Health is for this machine: no other address answers on its port."""
    async with Health().serve(0) as port:
        with pytest.raises(OSError, match=r"."):
            socket.create_connection(("127.0.0.9", port), timeout=0.5)


async def test_on_a_cluster_other_addresses_answer_too() -> None:
    """Probes and Prometheus come from elsewhere: with 0.0.0.0 every address of the machine answers."""
    async with Health().serve(0, "0.0.0.0") as port:  # noqa: S104 - what is tested
        socket.create_connection(("127.0.0.9", port), timeout=5).close()


async def test_a_port_in_use_is_said_so() -> None:
    """The error names the port and the setting."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} .*AISLE_HEALTH_PORT"):
            async with Health().serve(port):
                pass


async def test_metrics_are_what_prometheus_reads() -> None:
    """``/metrics`` gives every figure in Prometheus' text format, under its content type."""
    async with (
        Health().serve(0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = await answer.text()
    assert (200, CONTENT_TYPE_LATEST) == (answer.status, answer.headers["Content-Type"])
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {"aisle_batch_events", "aisle_event_loop_lag_seconds"} <= families
