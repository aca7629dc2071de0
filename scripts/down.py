"""``aisle down``: stop what runs in the data directory."""

import contextlib

import click

_MARGIN_S = 60.0


@click.command()
def command() -> None:
    """Stop a running `aisle up` and the local services."""
    import psutil

    from infra.errors import ServiceFailed
    from infra.local.services import LocalServices
    from infra.local.state import UP, read_state
    from infra.settings import load_settings

    settings = load_settings()
    stopped: list[str] = []
    state = read_state(settings.data_dir, UP)
    if state is not None and (process := state.process()) is not None:
        click.echo(f"stopping aisle (pid {process.pid})", err=True)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        if not state.wait_until_ended(settings.drain_timeout_s + _MARGIN_S):
            raise ServiceFailed(
                f"aisle (pid {process.pid}) has not stopped yet.", hint="Run `aisle down` again to hurry it."
            )
        stopped.append("aisle")
    stopped += LocalServices(settings).stop()
    click.echo(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
