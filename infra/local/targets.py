"""Where the workers of ``aisle up`` say how they are: one file, in the form of Prometheus' ``file_sd_configs``."""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from infra.child import Child
from infra.local.state import run_dir
from infra.process import Launch, Running

FILE: Final = "targets.json"


class Target(BaseModel):
    """A worker's health address; ``labels`` are ``worker``, its kind, and ``instance``, its name here."""

    targets: list[str]
    labels: dict[str, str]

    @property
    def name(self) -> str:
        """As ``aisle up`` calls it."""
        return self.labels["instance"]

    @property
    def address(self) -> str:
        """``host:port``."""
        return self.targets[0]


_ALL: Final = TypeAdapter(list[Target])


@dataclass
class Targets:
    """Keeps the file while ``aisle up`` runs.

    Args:
        data_dir: Whose workers they are.
    """

    data_dir: Path
    _ports: dict[str, int] = field(default_factory=dict)

    def of(self, worker: Child) -> Child:
        """The same worker, which is in the file while it runs."""

        def started(launch: Launch, _running: Running) -> None:
            self._ports[worker.name] = launch.ports["health"]
            self._write()

        def stopped() -> None:
            self._ports.pop(worker.name, None)
            self._write()

        return replace(worker, started=started, stopped=stopped)

    def drop(self) -> None:
        """Nothing runs any more."""
        (run_dir(self.data_dir) / FILE).unlink(missing_ok=True)

    def _write(self) -> None:
        found = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"worker": name.partition("-")[0], "instance": name}}
            for name, port in self._ports.items()
        ]
        fresh = run_dir(self.data_dir) / f"targets.{os.getpid()}.new"
        fresh.write_text(json.dumps(found, indent=1))
        fresh.replace(run_dir(self.data_dir) / FILE)


def read_targets(data_dir: Path) -> list[Target]:
    """The workers of an ``aisle up``; after one that was killed, those that it had."""
    try:
        return _ALL.validate_json((run_dir(data_dir) / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return []
