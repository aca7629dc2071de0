"""Real worker processes, as `aisle worker` starts them, seen from outside."""

import asyncio
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from infra.local.ports import any_free_port
from infra.local.probe import is_ready
from infra.process import Launch, Running, end, kill, module, settings_variables, spawn
from infra.settings import Settings

_READY_S: Final = 90.0
_POLL_S: Final = 0.02


class Worker:
    """One worker.

    Args:
        name: ``classify`` or ``archive``.
        settings: What it runs with.
        log: Where its lines go.
    """

    def __init__(self, name: str, settings: Settings, log: Path) -> None:
        self.port = any_free_port()
        variables = settings_variables(settings) | {"AISLE_HEALTH_PORT": str(self.port), "AISLE_LOG_FORMAT": "json"}
        launch = Launch(module("scripts", "worker", name), variables, log)
        self._running: Running = spawn(launch, deadline_s=30)
        self._process = psutil.Process(self.pid)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running.process.pid

    async def ready(self) -> "Worker":
        """Return when it says that it is ready."""
        async with asyncio.timeout(_READY_S):
            while not await asyncio.to_thread(is_ready, self.port):
                if self._running.process.poll() is not None:
                    raise RuntimeError(f"the worker ended with {self._running.process.returncode}")
                await asyncio.sleep(_POLL_S)
        return self

    def rss_mb(self) -> float:
        """Memory that it holds."""
        return float(self._process.memory_info().rss) / 1e6

    def cpu_s(self) -> float:
        """CPU seconds that it has used."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def metrics(self) -> dict[str, float]:
        """Its figures by name, buckets by name and bound; empty where it gives none."""
        return {
            sample.name + (f"<{bound}" if (bound := sample.labels.get("le")) else ""): sample.value
            for sample in self._samples()
        }

    def version(self) -> str | None:
        """Version of the model that answers; None where it says none."""
        return next((one.labels["version"] for one in self._samples() if one.name == "aisle_model_info"), None)

    def _samples(self) -> list[Sample]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return []
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def stop(self) -> int:
        """SIGTERM, and wait; its exit status."""
        return end(self._running, within_s=60)

    def kill(self) -> None:
        """SIGKILL."""
        kill(self._running)


@contextmanager
def worker(name: str, settings: Settings, log: Path) -> Iterator[Worker]:
    """A worker that is stopped at the end of the context."""
    one = Worker(name, settings, log)
    try:
        yield one
    finally:
        one.stop()


def quantile(before: Mapping[str, float], after: Mapping[str, float], name: str, share: float) -> float | None:
    """A quantile of what a histogram counted between two readings, in its unit, linear within a bucket.

    Args:
        before: First reading.
        after: Second reading.
        name: The histogram's.
        share: 0.99 for the 99th percentile.
    """
    prefix = f"{name}_bucket<"
    bounds = sorted((float(key.removeprefix(prefix)), key) for key in after if key.startswith(prefix))
    counts = [after[key] - before.get(key, 0.0) for _, key in bounds]
    if not counts or counts[-1] <= 0:
        return None
    wanted, low, below = share * counts[-1], 0.0, 0.0
    for (bound, _), count in zip(bounds, counts, strict=True):
        if count >= wanted:
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    raise AssertionError("unreachable")


def mean(before: Mapping[str, float], after: Mapping[str, float], name: str) -> float | None:
    """The mean of what a histogram counted between two readings."""
    count = after.get(f"{name}_count", 0.0) - before.get(f"{name}_count", 0.0)
    return (after[f"{name}_sum"] - before.get(f"{name}_sum", 0.0)) / count if count else None
