"""``aisle models sync`` and ``ui``: MLflow brought up to date, and its own page."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from scripts.output import print_json, printable

if TYPE_CHECKING:
    from pathlib import Path

    from infra.process import Running
    from infra.settings import Settings
    from model.registry.opened import Place

_START_S: Final = 90.0
_END_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.2


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sync(as_json: bool) -> None:
    """Bring MLflow up to date with the models and the champion.

    `aisle train` does it as well. It can be repeated.
    """
    from infra.settings import load_settings
    from workers.registry import bring_up_to_date

    done = bring_up_to_date(load_settings())
    if as_json:
        print_json({"recorded": done.recorded, "skipped": done.skipped, "aliases": done.aliases})
        return
    if done.moved_from is not None:
        click.echo(f"the data directory was {printable(done.moved_from)}: MLflow knows where it is now", err=True)
    for version in done.recorded:
        click.echo(f"recorded {printable(version)}")
    for version, why in done.skipped.items():
        click.echo(f"skipped  {printable(version)}: {printable(why)}", err=True)
    for alias, version in done.aliases.items():
        click.echo(f"{alias:10} {printable(version)}")


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), help="Loopback port; default: 5000, or any free one.")
@click.option("--no-browser", is_flag=True, help="Only say where the page is.")
def ui(port: int | None, no_browser: bool) -> None:
    """Open MLflow's own page: runs, their metrics, reports, versions.

    It is served on the loopback address until Ctrl-C, or, where
    AISLE_MLFLOW_URI names a server, by that server.
    """
    from infra.settings import load_settings
    from workers.registry import place_of, recorded

    settings = load_settings()
    if (why := recorded(settings)) is not None:
        click.echo(printable(why), err=True)
    place = place_of(settings)
    if place.uri is not None:
        _show(place.uri, no_browser=no_browser)
        return
    with _served(settings, place, port) as (address, running):
        _show(address, no_browser=no_browser)
        click.echo("Ctrl-C stops it")
        running.process.wait()


def _show(address: str, *, no_browser: bool) -> None:
    click.echo(f"MLflow: {address}")
    if not no_browser:
        webbrowser.open(address)


@contextmanager
def _served(settings: "Settings", place: "Place", port: int | None) -> "Iterator[tuple[str, Running]]":
    """MLflow's server while the context lasts: its address and its process.

    Raises:
        ServiceFailed: It did not come up.
    """
    from infra.local.ports import HOST, any_free_port, is_free
    from infra.process import Launch, module, spawn
    from model.registry.opened import QUIET

    port = port or (5000 if is_free(5000) else any_free_port())
    address = f"http://{HOST}:{port}"
    options = (
        *("--backend-store-uri", place.database, "--default-artifact-root", str(place.artifacts)),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
    )
    argv = module("infra.lifeline", sys.executable, "-P", "-m", "mlflow", "server", *options)
    log = settings.data_dir.resolve() / "logs" / "mlflow.log"
    variables = {**QUIET, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # else a queue's processes beside it
    running = spawn(Launch(argv, variables, log=log), deadline_s=_END_S)
    try:
        with _sigterm_as_ctrl_c():
            _wait(address, running, log)
            yield address, running
    finally:
        _end(running)


def _wait(address: str, running: "Running", log: "Path") -> None:
    import urllib.request

    from infra.errors import ServiceFailed
    from infra.process import tail

    until = time.monotonic() + _START_S
    while running.process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - ours
            return
        time.sleep(_LOOK_EVERY_S)
    raise ServiceFailed(f"MLflow's page did not come up: {tail(log, 1)}", hint=f"The log is {log}.")


def _end(running: "Running") -> None:
    """End the server with the processes that it started, which it leaves behind."""
    from infra.process import kill

    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.process.pid, signal.SIGTERM)  # the session is its own
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.process.wait(_END_S)
    kill(running)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.process.pid, signal.SIGKILL)


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
