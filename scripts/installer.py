"""Runs uv, or pip where there is no uv, and says in one line what to do when they fail. Standard library only."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_DISK = re.compile(r"no space left|disk quota exceeded|errno 28|errno 122|os error 28", re.IGNORECASE)
_HASH = re.compile(r"hash mismatch|do not match the hashes|doesn't match a hash", re.IGNORECASE)
_NETWORK = re.compile(
    r"name resolution|failed to resolve|dns error|getaddrinfo|network is unreachable|connection (refused|reset|error)"
    r"|newconnectionerror|max retries|timed out|proxyerror|error sending request|could not connect|failed to fetch",
    re.IGNORECASE,
)
_CERTIFICATE = re.compile(r"certificate verify failed|unknownissuer|invalid peer certificate", re.IGNORECASE)
_ALMOST_FULL_BYTES: Final = 50_000_000


class EnvironmentFailed(Exception):
    """The environment cannot be made; the message says what to do."""


def explain(output: str, *places: Path) -> str:
    """One line that says what to do about an installer's failure.

    Args:
        output: What it wrote.
        places: Folders that it writes to; looked at for a disk that is full.
    """
    if _DISK.search(output) or any(_is_full(place) for place in places):
        return "The disk is full. Make room (the environment needs 3.5 GB), then start again."
    if _HASH.search(output):
        return (
            "A download is not what the lock file says. Start again; if it stays so, your package index alters files."
        )
    if _CERTIFICATE.search(output):
        return "The package index shows an unknown certificate. Behind a proxy, name its CA file in SSL_CERT_FILE."
    if _NETWORK.search(output):
        return "The package index does not answer. Check the network (proxy: HTTPS_PROXY), then start again."
    return "Installing failed; the lines above say why. Check network and disk, then start again: it goes on from here."


class Installer:
    """Installs into one environment.

    Args:
        root: The checkout, with the lock files.
        python: The environment's interpreter.
        lock: A descriptor that every installer inherits, as it holds the lock on the checkout.
    """

    def __init__(self, root: Path, python: Path, lock: int) -> None:
        self._root = root
        self._python = python
        self._uv = python.with_name("uv")
        self._has_uv = False
        self._lock = lock
        self._environ = tool_environ(root)

    def get_uv(self) -> bool:
        """Install uv as pinned, by pip; False when there is none for this platform."""
        pin = (self._root / "requirements-bootstrap.lock").read_text().split()[0]
        if self.output([str(self._uv), "--version"]).split()[:2] != pin.split("=="):
            options = ("--quiet", "--retries", "2", "--no-deps", "--only-binary", ":all:")
            failure = self._pip(*options, "--require-hashes", "-r", "requirements-bootstrap.lock", quiet=True)
            if failure is not None and ("No matching distribution" not in failure or _NETWORK.search(failure)):
                self._fail(failure)  # an index that cannot be reached has no matching distribution either
            self._has_uv = failure is None
        else:
            self._has_uv = True
        if self._has_uv:
            self._environ = {**self._uv_from_pip(), **self._environ}
        return self._has_uv

    def sync(self) -> None:
        """Bring the environment to what the lock names, every file checked by its hash."""
        if self._has_uv:
            self._uv_pip("sync", "--require-hashes", "requirements.lock")
        elif (failure := self._pip("--require-hashes", "--no-deps", "-r", "requirements.lock")) is not None:
            self._fail(failure)

    def install_project(self) -> None:
        """Install aisle itself, from this folder, with the build requirements that the lock brought."""
        options = ("--no-deps", "--no-build-isolation", "-e", ".")
        if self._has_uv:
            self._uv_pip("install", "--quiet", *options)
        elif (failure := self._pip("--quiet", *options)) is not None:
            self._fail(failure)

    def run(self, command: list[str], *, quiet: bool = False) -> None:
        """Run a step; what it writes is shown on a terminal unless it is to be quiet.

        Raises:
            EnvironmentFailed: It failed; the message says what to do.
        """
        if (failure := self._try(command, quiet=quiet)) is not None:
            self._fail(failure)

    def output(self, command: list[str]) -> str:
        """What a command prints, or nothing when it fails."""
        try:
            done = subprocess.run(command, check=False, capture_output=True, env=self._environ, pass_fds=(self._lock,))  # noqa: S603 - our own interpreter and uv
        except OSError:
            return ""
        return done.stdout.decode(errors="replace") if done.returncode == 0 else ""

    def _pip(self, *arguments: str, quiet: bool = False) -> str | None:
        return self._try([str(self._python), "-m", "pip", "install", *arguments], quiet=quiet)

    def _uv_pip(self, action: str, *arguments: str) -> None:
        self.run([str(self._uv), "pip", action, "--python", str(self._python), *arguments])

    def _try(self, command: list[str], *, quiet: bool) -> str | None:
        """None when it went well, else what it wrote; on a terminal it writes there, progress bars and all."""
        done = subprocess.run(  # noqa: S603 - venv, pip and uv, with arguments of our own
            command,
            check=False,
            cwd=self._root,
            env=self._environ,
            pass_fds=(self._lock,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet or not sys.stderr.isatty() else sys.stderr,
            stderr=subprocess.STDOUT,
        )
        return None if done.returncode == 0 else (done.stdout or b"").decode(errors="replace")

    def _fail(self, output: str) -> None:
        reason = explain(output, self._root, Path(self._environ["UV_CACHE_DIR"]))
        if reason.startswith("Installing failed"):
            sys.stderr.write(output)
        raise EnvironmentFailed(reason)

    def _uv_from_pip(self) -> dict[str, str]:
        """The index and certificate that pip is configured with: uv does not read pip's files."""
        listed = self.output([str(self._python), "-m", "pip", "config", "list"])
        found = dict(re.findall(r"^[^.=\n]*\.([\w-]+)='(.*)'$", listed, re.MULTILINE))
        names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
        if "UV_INDEX_URL" in self._environ:
            del names["index-url"]
        return {names[key]: value.replace("\\n", " ").strip() for key, value in found.items() if key in names}


def tool_environ(root: Path) -> dict[str, str]:
    """Variables for pip and uv: a cache that can be written, no questions, no warning on how files are linked."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PIP_TARGET")}
    environ |= {"PIP_NO_INPUT": "1", "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    home = environ.get("XDG_CACHE_HOME") or f"{_home(environ)}/.cache"
    cache = Path(environ.get("UV_CACHE_DIR") or Path(home) / "uv")
    if not _is_writable(cache):
        cache = root / ".venv" / "cache"
        environ["PIP_NO_CACHE_DIR"] = "1"
    environ["UV_CACHE_DIR"] = str(cache)
    if _device(cache) != _device(root):
        environ.setdefault("UV_LINK_MODE", "copy")
    return environ


def _home(environ: dict[str, str]) -> str:
    """The home folder, also where HOME is empty or unset; an account without one gets a place that is none."""
    try:
        return environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/nonexistent"


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".aisle-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _device(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return path.stat().st_dev


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free < _ALMOST_FULL_BYTES
    except OSError:
        return False
