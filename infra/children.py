"""What a stack is made of: the services, the step that creates the topics, the workers."""

import sys
from functools import partial
from typing import Final

from infra.local import plan
from infra.local.ports import any_free_port, listens
from infra.local.probe import is_ready, stuck_at
from infra.local.services import START_S, STOP_S, record
from infra.local.state import ServiceName, drop_state
from infra.process import Launch, module, settings_variables
from infra.settings import Settings
from infra.supervisor import Child

_DRAIN_MARGIN_S: Final = 10.0


def service(settings: Settings, name: ServiceName) -> Child:
    """A local service, its state recorded while it runs."""

    def answers(launch: Launch, pid: int) -> bool:
        return listens(pid, launch.ports.values()) and plan.answers(settings, name, launch)

    return Child(
        name,
        partial(plan.launch, settings, name),
        ready=answers,
        started=partial(record, settings, name),
        stopped=lambda: drop_state(settings.data_dir, name),
        start_timeout_s=START_S,
        stop_timeout_s=STOP_S,
    )


def create_topics(settings: Settings) -> Child:
    """The step that creates the topics that are missing; its table is of interest only when it fails."""
    log = settings.data_dir.resolve() / "logs" / "topics.log"
    launch = Launch(module("scripts", "topics", "create"), _variables(settings), log=log)
    return Child("topics", lambda: launch, step=True)


def worker(settings: Settings, name: str, index: int) -> Child:
    """A worker, which drains before it ends. It may be up for long before it is ready: it waits for a model.

    Args:
        settings: What it runs with.
        name: ``archive``, or ``classify-`` and a number.
        index: Its place among the workers.
    """

    def launch() -> Launch:
        # One setting and several workers: they take consecutive ports.
        port = settings.health_port + index if settings.health_port else any_free_port()
        own = {"AISLE_HEALTH_PORT": str(port)}
        if settings.instance_id is not None:  # two workers with one id would end each other
            own["AISLE_INSTANCE_ID"] = f"{settings.instance_id}-{name}"
        return Launch(
            module("scripts", "worker", name.partition("-")[0]), _variables(settings) | own, ports={"health": port}
        )

    return Child(
        name,
        launch,
        ready=lambda launch, _pid: is_ready(launch.ports["health"]),
        stuck=lambda launch: stuck_at(launch.ports["health"]),
        awaited=False,
        stop_timeout_s=settings.drain_timeout_s + _DRAIN_MARGIN_S,
    )


def _variables(settings: Settings) -> dict[str, str]:
    variables = settings_variables(settings) | {"PYTHONUNBUFFERED": "1"}
    if settings.log_format == "auto":
        variables["AISLE_LOG_FORMAT"] = "pretty" if sys.stdout.isatty() else "json"
    return variables
