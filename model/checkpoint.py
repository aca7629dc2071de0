"""What a training has finished so far, on disk, so that it can be stopped, or killed, and gone on with.

One fit of one kind of stage is what is kept: of those on a part of the rows their answers to the rest, of those on the
whole training side the stage itself. Whatever is asked of a fit that was kept is answered by the same numbers, so that
a training that was gone on with ends where it would have ended.
"""

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version as library_version
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import numpy as np

import model
from model.data.labelled import LabelledData
from model.data.photos import PhotoFiles
from model.errors import TrainingRuns
from model.parameters import TrainOptions
from model.stages import LogProbabilities

ABOUT: Final = "about.json"
LIBRARIES: Final = ("tensorflow", "keras", "numpy", "scikit-learn")

_NO_MATTER: Final = frozenset({"name", "auto_accept_precision", "baseline"})  # no fit depends on them
_NOT_TRAINING: Final = ("report", "synthetic")


class Checkpoint:
    """The finished fits of one training.

    As a context it goes with its end, be it good or bad; a stop, a full disk and a lack of memory leave it. It is one
    process's at a time.

    Args:
        folder: Where they are.
        stale: Checkpoints of the same file that are of no use here, each in words.
    """

    def __init__(self, folder: Path, stale: tuple[str, ...] = ()) -> None:
        self.stale = stale
        self._folder = folder
        self._lock: IO[str] | None = None

    @classmethod
    def open(cls, root: Path, data: LabelledData, options: TrainOptions, start: Path | None = None) -> "Checkpoint":
        """What was kept of a training of these data by these parameters, this version of aisle, and these libraries.

        Args:
            root: Where checkpoints live.
            data: The rows.
            options: The parameters.
            start: The bundle whose weights it begins with.
        """
        parts = {"data": _of_data(data), "parameters": _of_parameters(options, start), "code": _of_code()}
        folder = root / _digest(json.dumps(parts))[:16]
        stale = tuple(_stale(root, folder, data.path.name, parts))
        if not (folder / ABOUT).is_file():
            about = {"file": data.path.name, "begun_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", **parts}
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / ABOUT, lambda path: path.write_text(json.dumps(about, indent=1), encoding="utf-8"))
        return cls(folder, stale)

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            TrainingRuns: Another process has it.
        """
        self._lock = (self._folder / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the end of the process frees it
        except BlockingIOError as error:
            self._lock.close()
            raise TrainingRuns(
                "The same training runs already, in another process.",
                hint="Wait for it, or stop it: it can be gone on with.",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or (issubclass(kind, Exception) and not issubclass(kind, OSError | MemoryError)):
            self.remove()
        if self._lock is not None:
            self._lock.close()

    @property
    def finished(self) -> int:
        """How many fits are done."""
        names = [path.name for path in self._folder.glob("*-*") if not path.name.startswith(".")]
        return len({name.split(".")[0] for name in names})

    def remove(self) -> None:
        """Forget everything."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def knows(self, key: str) -> bool:
        """Whether some answer of a fit was kept."""
        return (self._folder / f"{key}.0.npy").is_file()

    def answers(self, key: str, asked: int) -> LogProbabilities | None:
        """What the stage of a fit answered when it was asked for the so manieth time; None when it was not."""
        path = self._folder / f"{key}.{asked}.npy"
        if not path.is_file():
            return None
        found: LogProbabilities = np.load(path, allow_pickle=False)
        return found

    def keep(self, key: str, asked: int, answers: LogProbabilities) -> None:
        """Keep such answers."""

        def save(path: Path) -> None:
            with path.open("wb") as file:
                np.save(file, answers)

        _write(self._folder / f"{key}.{asked}.npy", save)

    def stage(self, key: str, into: Path, make: Callable[[Path], None]) -> None:
        """Fill a new directory with a stage: with the one that was kept, else with what is made now, and is kept then.

        Args:
            key: Of the fit.
            into: The directory, which does not exist.
            make: Makes it.
        """
        kept = self._folder / f"{key}.stage"
        if kept.is_dir():
            shutil.copytree(kept, into)
            return
        make(into)
        _write(kept, lambda path: shutil.copytree(into, path))


def _of_data(data: LabelledData) -> str:
    """Of all that rows say, and of the photos' files; not of where they lie."""
    photos = data.rows.photos
    files = photos.stamps() if isinstance(photos, PhotoFiles) else []
    return _digest(repr((data.rows.raw_titles, data.rows.raw_descriptions, data.codes.tolist(), files)))


def _of_parameters(options: TrainOptions, start: Path | None) -> str:
    """Of what fits depend on, with the files that it names."""
    flat = {name: value for name, value in options.flat().items() if name not in _NO_MATTER}
    paths = [value for value in (*flat.values(), start) if isinstance(value, Path)]
    return _digest(repr((sorted((name, str(value)) for name, value in flat.items()), [*map(_stamps, paths)])))


def _of_code() -> str:
    """Of the code that training runs, and of the libraries below it."""
    root = Path(model.__file__).parent
    sources = {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.py"))}
    own = {name: text for name, text in sources.items() if Path(name).parts[0] not in _NOT_TRAINING}
    return _digest(repr((own, [library_version(name) for name in LIBRARIES])))


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [(str(file), status.st_size, status.st_mtime_ns) for file in files for status in (file.stat(),)]


def _stale(root: Path, folder: Path, file: str, parts: Mapping[str, str]) -> Iterator[str]:
    """The checkpoints of trainings on a file of the same name that were another training."""
    for path in sorted(root.glob(f"*/{ABOUT}")):
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            others = [name for name, digest in parts.items() if about[name] != digest]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if path.parent != folder and about.get("file") == file:
            yield (
                f"a checkpoint of {about['begun_at']} is of no use: its {' and '.join(others)} differ, {path.parent}"
            )


def _digest(content: str | bytes) -> str:
    return sha256(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")).hexdigest()


def _write(path: Path, save: Callable[[Path], object]) -> None:
    """Write a file, or a directory, that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}")
    if part.is_dir():  # of a training that was killed
        shutil.rmtree(part)
    save(part)
    part.rename(path)
