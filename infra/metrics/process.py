"""Of every process: whether it is ready, how it stands for time, memory and disk."""

import shutil
from pathlib import Path
from typing import Final

from prometheus_client import ProcessCollector

from infra.metrics import REGISTRY, Declare

_declare: Final = Declare()

READY: Final = _declare.gauge("aisle_process_ready", "1 when it waits for nothing, else 0.")
WAITS: Final = _declare.gauge(
    "aisle_process_waits", "1 for each thing that it waits for, as /health/ready names it.", "cause"
)
LOOP_LAG: Final = _declare.histogram(
    "aisle_event_loop_lag_seconds", "How much later than asked the event loop woke a timer."
)
_FREE: Final = _declare.gauge("aisle_data_free_bytes", "Free space on the disk of the data directory.")
_SIZE: Final = _declare.gauge("aisle_data_size_bytes", "Size of that disk.")

for _name, _kind, _meaning in (
    ("process_cpu_seconds_total", "counter", "Processor time used."),
    ("process_resident_memory_bytes", "gauge", "Memory in use."),
    ("process_start_time_seconds", "gauge", "When it started, since 1970."),
    ("process_open_fds", "gauge", "Open file descriptors."),
    ("process_max_fds", "gauge", "Most file descriptors that it may open."),
    ("process_virtual_memory_bytes", "gauge", "Address space."),
):
    _declare.note(_name, _kind, f"{_meaning} Linux only; the names are Prometheus' own.")
ProcessCollector(registry=REGISTRY)


def watch_disk(data_dir: Path) -> None:
    """Look at the disk of a data directory whenever somebody asks for the figures."""

    def part(which: int) -> float:
        try:
            return float(shutil.disk_usage(data_dir)[which])
        except OSError:  # the directory is not there yet, or not any more
            return float("nan")

    _SIZE.set_function(lambda: part(0))
    _FREE.set_function(lambda: part(2))
