"""`aisle status`: what it shows, and what it says of what is away."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from aiokafka.structs import TopicPartition
from click.testing import CliRunner
from rich.console import Console

from infra.child import Child
from infra.health import Health
from infra.kafka.lag import Offsets
from infra.local.targets import FILE, Targets, read_targets
from infra.process import Launch
from infra.settings import Settings, load_settings
from scripts.status import command
from scripts.status_read import Behind, Found, Model, Process, Status, Stream, lags_of, rates_of, read_status
from scripts.status_view import picture

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory where nothing was ever started."""
    for name in ("KAFKA_BOOTSTRAP", "MONGODB_URI"):
        monkeypatch.delenv(f"AISLE_{name}", raising=False)
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path))
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()


def shown(status: Status) -> str:
    """As it stands on a terminal without colours."""
    console = Console(width=80, file=StringIO())
    console.print(picture(status))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return] # it is the StringIO


def test_all_that_there_is_fits_eighty_columns() -> None:
    """Model and its age, lag, rates, accuracy, drift, alerts, processes; long words are folded, none steers it."""
    text = shown(
        Status(
            NOW,
            Stream({"products.in": 12.5, "predictions.out": 12.4}, [Behind("aisle-classify", "products.in", 12_345)]),
            Model("20261122-1", NOW - timedelta(days=3), "ada\x1b[2J", "20261122-2", None),
            Found(
                {"accuracy": 0.75, "verdicts": 90, "weighed_accuracy": 0.9, "drift_share": 0.5}
                | {"canaries_sent": 5, "canaries_right": 4},
                {"drift": NOW - timedelta(minutes=5), "accuracy": NOW - timedelta(hours=7)},
                {"drift: drift": "3 of 6 columns have drifted: " + "x" * 120},
            ),
            [Process("classify-1", "127.0.0.1:1", ready=False, causes={"model": "no champion"}, details={})],
        )
    )

    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    for words in (
        "20261122-1, in service for 3 d, by ada·[2J",
        "12.5/s products.in",
        "12,345   products.in, aisle-classify",
        "0.750 of 90 verdicts, 0.900 of all answers (7 h ago)",
        "50% of the columns (5 min ago)",
        "4 of 5 right",
        "drift: drift: 3 of 6 columns",
        "not ready; model: no champion",
    ):
        assert words in text


def test_where_nothing_runs_it_says_so_and_does_not_fail(empty: Path) -> None:
    """Broker, store, model and workers: each is said to be away, and how to have it; the same as JSON."""
    result = CliRunner().invoke(command)
    assert 0 == result.exit_code, result.output
    for words in ("No Kafka is configured", "No MongoDB is configured", "aisle train", "no `aisle up` runs"):
        assert words in " ".join(result.output.split())

    status = json.loads(CliRunner().invoke(command, ["--json"]).output)
    assert {"broker", "store"} == set(status["away"])
    assert (None, None, []) == (status["stream"], status["found"], status["processes"])
    assert 2 == CliRunner().invoke(command, ["--json", "--watch"]).exit_code
    assert empty.exists()


async def test_workers_are_found_by_the_file_and_asked_themselves(empty: Path) -> None:
    """One is ready, one says what it waits for, one is gone: the file is what `aisle up` keeps, and goes with it."""
    (empty / "run").mkdir()
    targets, ready, waiting = Targets(empty), Health(), Health()
    ready.has("start")
    waiting.waits_for("model", "no champion")
    async with ready.serve(0) as one, waiting.serve(0) as other:
        for name, port in (("archive", one), ("classify-1", other), ("gateway", 1)):
            child = targets.of(Child(name, lambda: Launch(())))
            child.started(Launch((), ports={"health": port}), None)  # type: ignore[arg-type] # it is not looked at
        status = await read_status(Settings(data_dir=empty, kafka_bootstrap=None, mongodb_uri=None))
    found = {one.name: (one.ready, one.causes) for one in status.processes}

    assert (True, {}) == found["archive"]
    assert (False, {"start": "starting", "model": "no champion"}) == found["classify-1"]
    assert (False, {"process": "does not answer"}) == found["gateway"]
    assert {"archive", "classify", "gateway"} == {one.labels["worker"] for one in read_targets(empty)}

    child.stopped()
    assert ["archive", "classify-1"] == [one.name for one in read_targets(empty)]
    targets.drop()
    assert [] == read_targets(empty)


async def test_another_program_at_a_workers_port_is_no_worker(empty: Path) -> None:
    """After an `aisle up` that was killed the file stays, and whoever has the port by now may say anything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        writer.close()
        await writer.wait_closed()

    (empty / "run").mkdir()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        child = Targets(empty).of(Child("archive", lambda: Launch(())))
        launch = Launch((), ports={"health": server.sockets[0].getsockname()[1]})
        child.started(launch, None)  # type: ignore[arg-type] # it is not looked at
        status = await read_status(Settings(data_dir=empty, kafka_bootstrap=None, mongodb_uri=None))

    assert [("archive", False)] == [(one.name, one.ready) for one in status.processes]


def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    """What somebody else left there stops nobody."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / FILE).write_text('[{"targets": [')

    assert [] == read_targets(tmp_path)


def test_rates_and_lags_are_sums_over_partitions() -> None:
    """By topic, the last minute's records; by group, what is not done, and nothing where nothing was committed."""
    zero, one = TopicPartition("products.in", 0), TopicPartition("products.in", 1)
    offsets = Offsets(
        {"aisle-classify": {zero: 3, one: 4}, "aisle-shadow": {zero: None}}, {zero: 130, one: 60}, {zero: 70, one: 0}
    )

    assert {"products.in": 2.0} == rates_of(offsets)
    assert [
        Behind("aisle-classify", "products.in", 7),
        Behind("aisle-shadow", "products.in", None),
    ] == lags_of(offsets)
