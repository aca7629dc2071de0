"""Removes what aisle made in a checkout: the environment, data and caches, never anything else."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")
FOLDERS = (".venv", "var", "dist", "build", *CACHES)
PACKAGES = ("infra", "model", "schemas", "scripts", "streams", "workers", "tests")


def clean(root: Path) -> int:
    """Remove them; refuses while something of aisle runs on the data. Returns the exit status."""
    alive = sorted(set(live_pids(root / "var" / "run")))
    if alive:
        pids = ", ".join(map(str, alive))
        print(f"aisle: aisle is running here (pid {pids}). Stop it first: make down", file=sys.stderr)
        return 1
    for path in (*(root / name for name in FOLDERS), *_bytecode(root)):
        if _remove(path):
            print(f"removed {path.relative_to(root)}")
    return 0


def live_pids(run_dir: Path) -> Iterator[int]:
    """The processes that the records in a run folder name and that live."""
    for record in run_dir.glob("*.json"):
        try:
            content = json.loads(record.read_text())
        except (OSError, ValueError):
            continue
        yield from (pid for pid in _pids(content) if _is_alive(pid))


def _pids(content: object) -> Iterator[int]:
    """Every ``pid`` in a record, at any depth."""
    if isinstance(content, dict):
        pid = content.get("pid")
        if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0:
            yield pid
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _pids(part)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _bytecode(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("__pycache__"))


def _remove(path: Path) -> bool:
    """Remove a folder; of a link, only the link itself."""
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        return False
    return True
