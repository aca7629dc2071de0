"""A real Prometheus over a real aisle, with the project's own rules, in seconds in place of minutes."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from infra.local.ports import any_free_port
from infra.local.targets import Target
from infra.process import Launch, end, kill, module, settings_variables, spawn
from infra.settings import Settings
from tests.integration.road import wait

RULES = Path(__file__).parents[2] / "infra" / "prometheus" / "rules.yml"
PROMETHEUS = shutil.which("prometheus")
WITHIN_S = 120.0

needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None, reason="Prometheus is not installed (apt-get install prometheus)"
)


@dataclass(frozen=True)
class Prometheus:
    """A running server.

    Args:
        url: Where it answers.
        targets: The file that names what it asks.
    """

    url: str
    targets: Path

    def asks(self, targets: Sequence[Target]) -> None:
        """Have it ask these from now on."""
        fresh = self.targets.with_suffix(".new")
        fresh.write_text("[" + ",".join(one.model_dump_json() for one in targets) + "]")
        fresh.replace(self.targets)

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The series that answer, with their labels; those that are no number left out."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        assert answer.is_success, f"{expression}: {answer.text}"
        found: Any = answer.json()["data"]["result"]
        values = [(one["metric"], float(one["value"][1])) for one in found]
        return [(labels, value) for labels, value in values if not isnan(value)]

    def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        return {labels["alertname"] for labels, _ in self.query('ALERTS{alertstate="firing"}')}


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """A server that asks every second, with data in a folder of its own."""
    (folder / "rules.yml").write_text(hastened(RULES.read_text()))
    targets = folder / "targets.json"
    targets.write_text("[]")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration()))
    port = any_free_port()
    arguments = (f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}")
    command = (str(PROMETHEUS), f"--config.file={folder / 'prometheus.yml'}", *arguments)
    running = spawn(Launch(command, log=folder / "log"), deadline_s=10)
    server = Prometheus(f"http://127.0.0.1:{port}", targets)
    try:
        wait(lambda: _is_ready(server.url), 30)
        yield server
    finally:
        end(running, within_s=10)


def hastened(rules: str) -> str:
    """The rules with half a minute for each longer time, nothing waited for before an alert fires, 5 s for hours."""
    for written, instead in ((r"for: \d+[mh]", "for: 0s"), (r"\[\d+[mh]\]", "[30s]"), (r"\d+ \* 3600", "5")):
        rules = re.sub(written, instead, rules)
    return rules


def fires(server: Prometheus, alert: str, cause: Callable[[], None] = lambda: None) -> None:
    """Wait for an alert, with its cause again and again."""

    def told() -> bool:
        cause()
        return alert in server.firing()

    try:
        wait(told, WITHIN_S)
    except AssertionError:
        raise AssertionError(f"{alert} does not fire, only {server.firing()}") from None


class Process:
    """A worker in a process of its own, which keeps its address when it is started again.

    Args:
        kind: As ``aisle worker`` names it.
        settings: What it runs with.
        log: Where its lines go.
        name: The module that it is, where that is not aisle's own.
    """

    def __init__(self, kind: str, settings: Settings, log: Path, name: str | None = None) -> None:
        port = any_free_port()
        self.log = log
        self.target = Target(targets=[f"127.0.0.1:{port}"], labels={"worker": kind, "instance": f"{kind}-{port}"})
        variables = settings_variables(settings) | {"AISLE_HEALTH_PORT": str(port)}
        self._launch = Launch(module("scripts", "worker", kind) if name is None else module(name), variables, log)
        self._running = spawn(self._launch, deadline_s=30)

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        return self._running.process.pid

    def again(self) -> None:
        """Start it again if it has ended, as a supervisor does."""
        if self._running.process.poll() is not None:
            kill(self._running)
            self._running = spawn(self._launch, deadline_s=30)

    def kill(self) -> None:
        """SIGKILL, and start it again."""
        kill(self._running)
        self.again()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        end(self._running, within_s=30)


@contextmanager
def worker(kind: str, settings: Settings, log: Path, name: str | None = None) -> Iterator[Process]:
    """A worker that is stopped at the end of the context; see `Process`."""
    one = Process(kind, settings, log, name)
    try:
        yield one
    finally:
        one.stop()


def _configuration() -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {"job_name": "aisle", "file_sd_configs": [{"files": ["targets.json"], "refresh_interval": "1s"}]}
        ],
    }


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").is_success
    except httpx.HTTPError:
        return False
