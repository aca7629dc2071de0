"""The environment in ``.venv``: made once, renewed when what it is made from changed. Standard library only."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from scripts.installer import EnvironmentFailed, Installer, explain

__all__ = ["Environment", "EnvironmentFailed"]

SOURCES = ("requirements.lock", "requirements-bootstrap.lock", "pyproject.toml")
NEEDED_BYTES = 3_500_000_000
"""The environment takes 2.7 GB, most of it TensorFlow; downloads are unpacked beside it."""


UNFINISHED = "unfinished"
"""In the stamp while packages are installed: one cut short may look installed and lack files."""


class Environment:
    """The virtual environment of a checkout.

    Args:
        root: The checkout's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / ".venv"
        self._stamp = self._path / "aisle-stamp"
        self._started = time.monotonic()
        self.bin = self._path / "bin"

    def ensure(self) -> None:
        """Make the environment what the lock says, unless it is already.

        Raises:
            EnvironmentFailed: It cannot be made; the message says what to do.
        """
        wanted = self._fingerprint()
        if self._is_current(wanted):
            return
        with self._lock() as lock:
            if self._is_current(wanted):  # another start made it while this one waited
                return
            try:
                self._make(Installer(self._root, self.bin / "python", lock))
                self._write_stamp(wanted)
            except OSError as error:
                raise EnvironmentFailed(explain(str(error), self._root)) from error
        self._say("The environment is ready.")

    def _fingerprint(self) -> str:
        """What the environment depends on; the folder too, as scripts in it name their interpreter."""
        digest = hashlib.sha256()
        for part in (str(self._root), sys.implementation.cache_tag, platform.machine()):
            digest.update(f"{part}\n".encode())
        for name in SOURCES:
            try:
                digest.update((self._root / name).read_bytes())
            except OSError as error:
                raise EnvironmentFailed(f"{name} cannot be read: {error.strerror}. Is the checkout whole?") from error
        return digest.hexdigest()

    def _is_current(self, wanted: str) -> bool:
        try:
            return self._stamp.read_text() == wanted and os.access(self.bin / "python", os.X_OK)
        except OSError:
            return False

    def _write_stamp(self, fingerprint: str) -> None:
        new = self._stamp.with_suffix(".new")
        new.write_text(fingerprint)
        new.replace(self._stamp)

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """Hold the checkout. The installers inherit the lock: one that outlives us still keeps others out."""
        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("Waiting for another start that is making the environment ...")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _make(self, installer: Installer) -> None:
        if not self._is_usable(installer):
            self._create(installer)
        self._write_stamp(UNFINISHED)
        self._say("Getting the installer (uv) ...")
        if not installer.get_uv():
            self._say("uv is not to be had here: going on with pip, which takes longer.")
        self._say("Installing what the lock names: about 2.7 GB, most of it TensorFlow ...")
        installer.sync()
        self._say("Installing aisle itself ...")
        installer.install_project()

    def _is_usable(self, installer: Installer) -> bool:
        """Whether what is there is a whole environment, of this Python and in its place."""
        if self._is_current(UNFINISHED):
            return False
        program = "import sys, json, pip; print(json.dumps([list(sys.version_info[:2]), sys.prefix]))"
        answer = installer.output([str(self.bin / "python"), "-c", program])
        try:
            version, prefix = json.loads(answer)
        except ValueError:
            return False
        return bool(tuple(version) == sys.version_info[:2] and Path(prefix) == self._path)

    def _create(self, installer: Installer) -> None:
        if find_spec("venv") is None or find_spec("ensurepip") is None:
            package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            raise EnvironmentFailed(f"This Python has no venv module. On Debian and Ubuntu: sudo apt install {package}")
        free = shutil.disk_usage(self._root).free
        if free < NEEDED_BYTES:
            raise EnvironmentFailed(
                f"The disk of {self._root} has {free / 1e9:.1f} GB free; the environment needs "
                f"{NEEDED_BYTES / 1e9:.1f} GB. Make room, then start again."
            )
        self._say(f"Making the environment in .venv with Python {platform.python_version()} ...")
        if self._path.is_symlink():
            self._path.unlink()
        # A virtual environment's Python makes another by way of the one that it was made from.
        python = getattr(sys, "_base_executable", sys.executable)
        installer.run([python, "-m", "venv", "--clear", str(self._path)], quiet=True)

    def _say(self, text: str) -> None:
        print(f"aisle: [{time.monotonic() - self._started:5.1f} s] {text}", file=sys.stderr, flush=True)
