"""Makes aisle's environment on first use, then becomes the command that was asked for.

Needs nothing but Python 3.11 to 3.13: ``python3 scripts/bootstrap.py run``. What it imports before the version
check must also load on older Pythons, so that these get a clear line and not a SyntaxError.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 11), (3, 12), (3, 13))

HELP = """\
usage: python3 scripts/bootstrap.py COMMAND [ARGS]

  run     start everything and watch real products being classified
  test    the whole test suite (ARGS go to pytest; -n0: in one process)
  lint    formatting, lint, types, the folders' import rules, the site's links
  format  put the code in form
  docs    build the site of docs/ into build/docs
  bench   measure the stream and the model (ARGS=stream or model: one of them)
  chaos   kill things under load and count what is left (ARGS=--ci: the small form)
  train   train a model (ARGS go to `aisle train`)
  up      services, topics and workers, until Ctrl-C
  down    stop what `up` started
  aisle   any other command, as in `aisle --help`
  env     only make the environment
  lock    resolve the dependencies anew (ARGS=--upgrade: the newest ones)
  release-check  try the wheel in an empty environment
  audit   ask for known vulnerabilities of what is shipped
  sbom    write the bill of materials of what is shipped to dist/
  coverage  the test suite with its coverage
  clean   remove .venv, var and caches

The environment is .venv beside this project. It is made when it is missing
and renewed when the lock file, pyproject.toml or Python changed.
"""

AISLE_COMMANDS = {
    "run": ("demo",),
    "train": ("train",),
    "up": ("up",),
    "down": ("down",),
    "aisle": (),
}
MODULES = {
    "test": ("pytest", "--numprocesses=2"),  # most of them wait for a broker, few for a core
    "bench": ("tests.bench",),
    "chaos": ("tests.chaos",),
    "release-check": ("scripts.release", "check"),
    **{name: ("scripts.release", name) for name in ("audit", "sbom", "coverage")},
}
# Warnings are errors: a broken link or anchor is one. All files are read anew, as links lead from one to another.
SITE = ("sphinx-build", "-W", "--keep-going", "-q", "-E", "-d", "build/doctrees", "docs", "build/docs")
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    SITE,
)
FORMATTERS = (("ruff", "check", "--fix", "--exit-zero", "--quiet", "."), ("ruff", "format", "."))
COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "pyproject.toml"),
)
LOCK = (*COMPILE, "--extra", "dev", "--extra", "docs", "--output-file", "requirements.lock")
# What the container image needs: the same versions, without the tools of development.
LOCK_RUN = (*COMPILE, "--constraint", "requirements.lock", "--output-file", "requirements-run.lock")
# What the stream is measured beside. Some of it asks for older versions than ours, so ours are a wish, not a must:
# uv keeps what the output file names where it can, and that file begins as a copy of our lock.
BENCH = "requirements-bench.lock"
LOCK_BENCH = (*COMPILE, "tests/bench/requirements.in", "--output-file", BENCH)


def main(arguments: list[str]) -> int:
    """Run a command line; returns only when the command did not replace this process."""
    name, *rest = arguments or ["help"]
    if name in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0
    if name not in (*AISLE_COMMANDS, *MODULES, "lint", "format", "docs", "env", "lock", "clean"):
        return fail(f"There is no command {name!r}. See: python3 scripts/bootstrap.py help", 2)
    if sys.version_info[:2] not in SUPPORTED:
        return use_supported_python(arguments)
    if os.name != "posix":
        return fail("Windows itself is not supported: use WSL2.")
    return _dispatch(name, rest)


def _dispatch(name: str, rest: list[str]) -> int:
    from scripts.environment import Environment, EnvironmentFailed

    if name == "clean":
        from scripts.clean import clean

        return clean(ROOT)
    environment = Environment(ROOT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the installer's process ends with us
    try:
        environment.ensure()
    except EnvironmentFailed as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("Interrupted; the next start goes on from here.", 130)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return _become(name, rest, environment.bin)


def _become(name: str, rest: list[str], bin_dir: Path) -> int:
    if name == "env":
        return 0
    if name in AISLE_COMMANDS:
        if Path.cwd() != ROOT:
            os.environ.setdefault("AISLE_DATA_DIR", str(ROOT / "var"))
        execute([str(bin_dir / "aisle"), *AISLE_COMMANDS[name], *rest])
    os.chdir(ROOT)
    if name in MODULES:
        execute([str(bin_dir / "python"), "-m", *MODULES[name], *rest])
    if name == "lock":
        return lock(rest, bin_dir)
    return run_all({"format": FORMATTERS, "docs": (SITE,)}.get(name, CHECKS), bin_dir)


def lock(options: list[str], bin_dir: Path) -> int:
    """Resolve the dependencies anew, then those of the benches beside them; the exit status."""
    if status := run_all(((*LOCK, *options), (*LOCK_RUN, *options)), bin_dir):
        return status
    shutil.copyfile("requirements.lock", BENCH)
    return run_all((LOCK_BENCH,), bin_dir)


def execute(command: list[str]) -> NoReturn:
    """Replace this process by the command, so that signals reach it directly."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606 - a fixed program, no shell


def run_all(commands: tuple[tuple[str, ...], ...], bin_dir: Path) -> int:
    """Run every command, also after a failure, so that one run shows all that is wrong."""
    failed = []
    for program, *options in commands:
        print(f"$ {' '.join((program, *options))}", flush=True)
        if subprocess.run([str(bin_dir / program), *options], check=False).returncode:  # noqa: S603 - fixed programs
            failed.append(program)
    return fail(f"{', '.join(failed)} did not pass; the lines above say why.") if failed else 0


def use_supported_python(arguments: list[str]) -> int:
    """Start over with a supported Python from the PATH, or say that there is none."""
    for major, minor in reversed(SUPPORTED):
        candidate = shutil.which(f"python{major}.{minor}")
        works = (
            candidate
            and not subprocess.run(  # noqa: S603 - a name from our list; pyenv's shims may not work
                [candidate, "-c", ""], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ).returncode
        )
        if candidate and works:
            execute([candidate, str(Path(__file__).resolve()), *arguments])
    have = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return fail(f"aisle needs Python 3.11, 3.12 or 3.13 and this is {have}. Install one, then: make PYTHON=python3.13")


def fail(message: str, status: int = 1) -> int:
    """Say one clear line; the exit status to return."""
    print(f"aisle: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # in place of this file's folder
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
