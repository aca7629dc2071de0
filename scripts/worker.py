"""``aisle worker``: one process of the stream."""

from collections.abc import Callable, Coroutine
from typing import Any

import click


@click.group()
def command() -> None:
    """Run one worker process (`aisle up` runs them all)."""


@command.command()
def classify() -> None:
    """Classify products.in into predictions.out and products.dlq."""
    from streams.classify_worker import main

    _run("classify", main)


@command.command()
def archive() -> None:
    """Archive products, predictions, dead letters and feedback in MongoDB."""
    from streams.archive_worker import main

    _run("archive", main)


@command.command()
def shadow() -> None:
    """Score a sample of products.in with the challenger into shadow.out."""
    from streams.shadow_worker import main

    _run("shadow", main)


@command.command()
def retrain() -> None:
    """Train anew when people have said enough, and put what is better in service."""
    from workers.retrain.worker import main

    _run_background("retrain", main)


@command.command()
def monitor() -> None:
    """Watch products, answers and verdicts for drift and errors."""
    from workers.monitor.worker import main

    _run_background("monitor", main)


@command.command()
def gateway() -> None:
    """Serve the API and the pages over HTTP."""
    from workers.gateway.worker import main

    _run_background("gateway", main)


def _run_background(name: str, main: Callable[[Any, Any], Coroutine[Any, Any, None]]) -> None:
    from infra.logging import configure_logging
    from infra.metrics.process import watch_disk
    from infra.settings import load_settings
    from workers.lifetime import run_background

    settings = load_settings()
    configure_logging(settings, worker=name)
    watch_disk(settings.data_dir)
    raise SystemExit(run_background(settings, main))


def _run(name: str, main: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    from infra.logging import configure_logging
    from infra.metrics.process import watch_disk
    from infra.settings import load_settings
    from streams.lifetime import run_worker

    settings = load_settings()
    configure_logging(settings, worker=name)
    watch_disk(settings.data_dir)
    run_worker(settings, main)
