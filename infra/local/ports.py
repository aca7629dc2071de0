"""Free ports on the loopback address, the former ones where possible."""

import json
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psutil

HOST: Final = "127.0.0.1"
"""The only address local services listen on: they have no passwords."""

_FILE: Final = "ports.json"


def choose_ports(folder: Path, usual: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name: the one of last time, else the usual one, else any.

    Args:
        folder: Where a service keeps its data; the choice is remembered there.
        usual: Port by name; 0 when none is usual.
    """
    former = _remembered(folder)
    ports: dict[str, int] = {}
    for name, port in usual.items():
        wanted = (former.get(name, 0), port)
        ports[name] = next((p for p in wanted if p and p not in ports.values() and is_free(p)), 0) or any_free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_text(json.dumps(ports))
    return ports


def is_free(port: int) -> bool:
    """Whether nothing listens on a loopback port and a server could."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((HOST, port)) == 0:  # bind alone would not notice a wildcard listener on macOS
            return False
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError:
        return False
    return True


def listens(pid: int, ports: Iterable[int]) -> bool:
    """Whether a process listens on all these ports."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}.issuperset(ports)


def any_free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _remembered(folder: Path) -> dict[str, int]:
    try:
        found = json.loads((folder / _FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, int)} if isinstance(found, dict) else {}
