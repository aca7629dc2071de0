"""How far a replay came, in a file beside the data, so that it can go on after anything."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import time
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.lease import utc_now
from streams.errors import ReplayUnknown

_FOLDER: Final = "replays"
_PART: Final = ".tmp"
_WRITTEN_S: Final = 600.0  # a write takes milliseconds, and a clock beside a shared disk may be off


class Replay(BaseModel):
    """A replay: what was asked for, and what was done.

    Args:
        id: Its name.
        options: What the command was told, so that it can be told the same again.
        digest: Of the file that it reads, or the brokers' id of the topic; None: of neither, or not known.
        bounds: What the source fixed when it began, such as the offsets of a topic.
        total: Events at most.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    options: dict[str, Any]
    digest: str | None = None
    bounds: dict[str, tuple[int, int]] = {}
    total: int
    began_at: datetime
    changed_at: datetime
    ended_at: datetime | None = None
    positions: dict[str, str | int] = {}
    events: int = 0
    bytes: int = 0
    refused: dict[str, int] = {}

    @classmethod
    def new(
        cls, options: dict[str, Any], digest: str | None, total: int, bounds: dict[str, tuple[int, int]]
    ) -> "Replay":
        """One that begins now."""
        now = utc_now()
        name = f"{now:%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
        return cls(id=name, options=options, digest=digest, bounds=bounds, total=total, began_at=now, changed_at=now)


class Replays:
    """The replays of a data directory.

    Args:
        data_dir: The directory.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / _FOLDER

    def write(self, replay: Replay) -> None:
        """Keep how far it is. A kill leaves this state or the one before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        replay.changed_at = utc_now()
        with NamedTemporaryFile("w", dir=self._folder, suffix=_PART, delete=False, encoding="utf-8") as file:
            file.write(replay.model_dump_json())
        Path(file.name).replace(self._path(replay.id))

    def sweep(self) -> None:
        """Remove what kills have left in the middle of a write; others' writes of this moment are let be."""
        for path in self._folder.glob(f"*{_PART}"):
            with suppress(FileNotFoundError):  # it has its name by now, or somebody else sweeps
                if time() - path.stat().st_mtime > _WRITTEN_S:
                    path.unlink()

    def read(self, beginning: str) -> Replay:
        """The one whose id begins so.

        Raises:
            ReplayUnknown: None does, or more than one, or its file was damaged.
        """
        found = [path for path in sorted(self._folder.glob("*.json")) if path.stem.startswith(beginning)]
        if len(found) != 1:
            which = "No replay" if not found else "More than one replay"
            raise ReplayUnknown(f"{which} begins with {beginning!r}.", hint="`aisle replay list` shows them.")
        try:
            return Replay.model_validate_json(found[0].read_bytes())
        except ValidationError as error:
            raise ReplayUnknown(f"{found[0]} is not whole: {error.errors()[0]['msg']}.") from error

    def all(self) -> list[Replay]:
        """Those that are whole, the newest first."""
        found = []
        for path in sorted(self._folder.glob("*.json"), reverse=True):
            try:
                found.append(Replay.model_validate_json(path.read_bytes()))
            except ValidationError:
                continue
        return found

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
