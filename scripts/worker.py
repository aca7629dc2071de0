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


def _run(name: str, main: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    from infra.logging import configure_logging
    from infra.settings import load_settings
    from streams.lifetime import run_worker

    settings = load_settings()
    configure_logging(settings, worker=name)
    run_worker(settings, main)
