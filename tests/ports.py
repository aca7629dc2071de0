"""Ports on which a service that was killed finds itself again, whatever else is tested beside it."""

from pathlib import Path

from infra.local.ports import choose_ports
from tests.secured import share_secrets


def settle_ports(data_dir: Path) -> None:
    """Choose any free ports for the local services of a new data directory, in place of the usual ones.

    A usual port is the first choice of every other run as well: while a killed service is down, another takes it.
    Its broker knows the user of this test session, if there is one.
    """
    share_secrets(data_dir)
    choose_ports(data_dir / "kafka", {"broker": 0, "controller": 0})
    for store in ("docstore", "mongod"):
        choose_ports(data_dir / store, {"store": 0})
