"""Logs: one form for our lines and the libraries', with the bound fields, and no flood."""

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from infra.logging import RateLimit, configure_logging, get_logger
from infra.settings import Settings


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard error as a file, with the logging of before put back at the end."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("aiokafka", "aiohttp", "asyncio", "faust", "jgo", "kafka", "mode", "motor", "pymongo")
    levels = {name: logging.getLogger(name).level for name in names}
    root.handlers = []
    stream = io.StringIO()
    # Not sys.stderr itself: pytest puts its own there between a fixture and the test.
    monkeypatch.setattr("infra.logging.sys", SimpleNamespace(stderr=stream))
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The lines written so far, read as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def settings(**values: Any) -> Settings:
    """Settings with these values and no others from around."""
    return Settings(_env_file=None, **values)


def test_lines_are_json_when_nobody_looks(stderr: io.StringIO) -> None:
    """Not on a terminal each line is one JSON object with time, level, event and fields."""
    configure_logging(settings())

    get_logger("a").info("model loaded", version="7", seconds=1.5)

    (line,) = lines(stderr)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "model loaded", "level": "info", "version": "7", "seconds": 1.5}


def test_lines_are_pretty_on_a_terminal(stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person gets a line to read; the setting goes before what is found out."""
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    configure_logging(settings())
    get_logger("a").info("model loaded")
    assert not stderr.getvalue().startswith("{")
    assert "model loaded" in stderr.getvalue()

    stderr.truncate(0)
    stderr.seek(0)
    configure_logging(settings(log_format="json"))
    get_logger("b").info("model loaded")
    assert lines(stderr)[0]["event"] == "model loaded"


def test_library_lines_have_the_same_form(stderr: io.StringIO) -> None:
    """A library's warning is JSON too, with its logger's name and the fields of the process and the context."""
    configure_logging(settings(), worker="classify")

    with structlog.contextvars.bound_contextvars(topic="products.in", partition=3, offset=17):
        logging.getLogger("aiokafka.conn").warning("Unable to connect to %s", "kafka:9092")

    (line,) = lines(stderr)
    assert line["event"] == "Unable to connect to kafka:9092"
    assert line["logger"] == "aiokafka.conn"
    assert (line["worker"], line["topic"], line["partition"], line["offset"]) == ("classify", "products.in", 3, 17)


def test_our_lines_carry_what_is_bound(stderr: io.StringIO) -> None:
    """Fields of the process, of the logger and of the call come together; the call's own goes first."""
    configure_logging(settings(), worker="classify")

    get_logger("a").bind(event_id="e1").info("classified", model="7", worker="other")

    (line,) = lines(stderr)
    assert (line["worker"], line["event_id"], line["model"]) == ("other", "e1", "7")


def test_an_exception_is_part_of_its_line(stderr: io.StringIO) -> None:
    """A traceback does not break the one-line form."""
    configure_logging(settings())

    try:
        raise ValueError("bad")
    except ValueError:
        get_logger("a").exception("failed")

    (line,) = lines(stderr)
    assert line["exception"][0]["exc_type"] == "ValueError"


def test_a_library_flood_is_held_back(stderr: io.StringIO) -> None:
    """While a broker is away the same warning comes many times a second: it is written once."""
    configure_logging(settings())

    for attempt in range(50):
        logging.getLogger("aiokafka").warning("Unable to connect, attempt %s", attempt)
        get_logger("ours").info("polled", attempt=attempt)

    assert [line["event"] for line in lines(stderr)].count("polled") == 50
    assert len(lines(stderr)) == 51


def test_library_chatter_is_not_shown(stderr: io.StringIO) -> None:
    """Below a warning, libraries keep quiet at our usual level."""
    configure_logging(settings())

    logging.getLogger("faust").info("starting")

    assert stderr.getvalue() == ""


@pytest.mark.parametrize(("level", "events"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_decides_what_is_shown(stderr: io.StringIO, level: str, events: int) -> None:
    """Only lines at least as severe as the setting are written."""
    configure_logging(settings(log_level=level))

    for name in ("debug", "info", "warning", "error"):
        getattr(get_logger("a"), name)("said")

    assert len(lines(stderr)) == events


def test_values_that_json_does_not_know_are_text(stderr: io.StringIO) -> None:
    """A log call never fails over its arguments."""
    configure_logging(settings())

    get_logger("a").info("odd", value=object(), raw=b"\xff")

    assert lines(stderr)[0]["event"] == "odd"


def record(message: str, name: str = "aiokafka") -> logging.LogRecord:
    """A library's line."""
    return logging.LogRecord(name, logging.WARNING, "", 0, message, (), None)


def test_what_was_held_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next line let through says how many were not, and counting starts anew."""
    clock = [0.0]
    monkeypatch.setattr("infra.logging.time.monotonic", lambda: clock[0])
    limit = RateLimit(every_s=10)

    assert limit.filter(record("away"))
    assert [limit.filter(record("away")) for _ in range(3)] == [False] * 3
    assert limit.filter(record("another line"))
    assert limit.filter(record("away", "another logger"))
    clock[0] = 10.0
    late = record("away")
    assert limit.filter(late)
    assert vars(late)["held_back"] == 3
    clock[0] = 20.0
    calm = record("away")
    assert limit.filter(calm)
    assert "held_back" not in vars(calm)


def test_the_count_shows_in_the_line(stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """held_back reaches the written line, not only the record."""
    clock = [0.0]
    monkeypatch.setattr("infra.logging.time.monotonic", lambda: clock[0])
    configure_logging(settings())

    for _ in range(4):
        logging.getLogger("aiokafka").warning("away")
    clock[0] = 11.0
    logging.getLogger("aiokafka").warning("away")

    assert [line.get("held_back") for line in lines(stderr)] == [None, 3]


def test_lines_that_never_repeat_are_not_kept() -> None:
    """A library that formats before it logs does not fill the memory."""
    limit = RateLimit()

    for number in range(5_000):
        assert limit.filter(record(f"{number} is new"))

    assert len(limit._seen) <= 1_001
