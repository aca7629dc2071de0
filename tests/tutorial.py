"""docs/tutorial.md, followed word for word from an empty folder: ``python -m tests.tutorial``.

Every ``sh`` block is run as it stands, in order, in one shell's state. A comment below a block says what its output has
to show (``shows``), that it is repeated until it does (``until``), or that it goes on while the others run (``beside
until``). With ``--install`` the environment is made anew, as the first block says; otherwise the checkout's own is
taken, as CI has just made it.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(
    r'^```sh\n(.*?)^```(?:\n\n<!-- tutorial: (shows|until|beside until) "(.+?)" -->)?', re.MULTILINE | re.DOTALL
)
_LONGEST_S: Final = 600.0


@dataclass(frozen=True)
class Step:
    """A block of commands, and what its output has to show, as a regular expression."""

    commands: str
    how: str
    shows: str


class Failed(Exception):
    """A step did not do what the page says."""


def steps(page: str) -> list[Step]:
    """The steps of a page, in order."""
    return [Step(commands, how, shows) for commands, how, shows in _BLOCK.findall(page)]


def main(arguments: list[str]) -> int:
    """Follow the page; the exit status."""
    parser = argparse.ArgumentParser(prog="tests.tutorial", description=__doc__, allow_abbrev=False)
    parser.add_argument("--install", action="store_true", help="make the environment as the page says")
    install = parser.parse_args(arguments).install
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aisle-tutorial-") as folder:
        shell = Shell(Path(folder), clone_only=not install)
        try:
            for step in steps(PAGE.read_text(encoding="utf-8")):
                shell.follow(step)
        except Failed as error:
            print(f"tutorial: {error}", file=sys.stderr)
            return 1
        finally:
            shell.end()
    print(f"The tutorial works as it stands, in {time.monotonic() - began:.0f} s.")
    return 0


class Shell:
    """Runs steps in a folder; environment and directory go from one to the next.

    Args:
        folder: Where it begins, empty.
        clone_only: Take the checkout's environment in place of a new one.
    """

    def __init__(self, folder: Path, *, clone_only: bool) -> None:
        self._folder = folder
        self._clone_only = clone_only
        self._state = folder / ".state"
        self._state.write_text(f"cd '{folder}'\n")
        self._beside: subprocess.Popen[bytes] | None = None
        # Any port: another gateway may run here. Nothing else of what the caller has set counts.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "LANG", "TMPDIR") if name in os.environ}
        self._environ = kept | {"AISLE_GATEWAY_PORT": "0", "PYTHONUTF8": "1"}

    def follow(self, step: Step) -> None:
        """Run a step.

        Raises:
            Failed: It ended with another status than 0, or does not show what it should.
        """
        began = time.monotonic()
        print(f"$ {step.commands.strip()}", flush=True)
        output = self._stay(step) if step.how == "beside until" else self._repeat(step)
        print(f"{output.rstrip()}\n[{time.monotonic() - began:.0f} s]\n", flush=True)
        if step.shows and not re.search(step.shows, output):
            raise Failed(f"{step.commands!r} does not show {step.shows!r}")

    def _repeat(self, step: Step) -> str:
        """What the commands print; of those to be repeated, the last time."""
        until = time.monotonic() + _LONGEST_S
        while True:
            status, output = self._once(step)
            again = step.how == "until" and not re.search(step.shows, output) and time.monotonic() < until
            if status and not again:
                raise Failed(f"{step.commands!r} ended with {status}:\n{output}")
            if not again:
                return output
            time.sleep(1)  # between two looks, as a reader would

    def _once(self, step: Step) -> tuple[int, str]:
        """The exit status of the commands, and what they print."""
        running = subprocess.Popen(
            self._script(step),
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output = running.communicate(timeout=_LONGEST_S)[0]
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise Failed(
                f"{step.commands!r} takes longer than {_LONGEST_S:.0f} s:\n{running.communicate()[0]}"
            ) from None
        return running.returncode, output

    def _stay(self, step: Step) -> str:
        """Start what goes on; what it has printed when it shows what it should."""
        log = self._folder / "beside.log"
        with log.open("wb") as out:
            self._beside = subprocess.Popen(
                self._script(step), env=self._environ, stdout=out, stderr=out, start_new_session=True
            )
        until = time.monotonic() + _LONGEST_S
        while not re.search(step.shows, log.read_text(errors="replace")):
            if self._beside.poll() is not None or time.monotonic() > until:
                raise Failed(f"{step.commands!r} does not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.2)
        return log.read_text(errors="replace")

    def _script(self, step: Step) -> list[str]:
        commands = "".join(f"{line}\n" for line in self._lines(step))
        keep = f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > '{self._state}'\n"
        return ["bash", "-c", f"set -eo pipefail\nsource '{self._state}'\n{commands}{keep}"]

    def _lines(self, step: Step) -> Iterator[str]:
        """The commands, but for those that name what only a reader has."""
        for line in step.commands.splitlines():
            if line == "git clone REPOSITORY aisle":
                yield f"git clone --quiet '{ROOT}' aisle"
            elif line == "python3 aisle/scripts/bootstrap.py env" and self._clone_only:
                yield f"ln -s '{ROOT}/.venv' aisle/.venv"
            else:
                yield line

    def end(self) -> None:
        """End what goes on, if the page has not."""
        if self._beside is not None and self._beside.poll() is None:
            os.killpg(self._beside.pid, signal.SIGTERM)
            self._beside.wait(60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
