"""Where the registry is, and how it is opened: quiet, alone, with its tables there. Importing MLflow takes 3 s."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import IO, TYPE_CHECKING, Final

from model.errors import RegistryUnavailable
from schemas.errors import AisleError

if TYPE_CHECKING:
    from mlflow import MlflowClient

QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",  # it would print to our terminal
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""What keeps MLflow from telling others, and from talking."""

_PATIENCE: Final = {  # a server that is away is waited for 20 s, not for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}
_LOCK_S: Final = 120.0  # who makes its tables and records a dozen bundles has it for 30 s
_LOOK_S: Final = 0.1
_HINT: Final = "Nothing in service depends on it; `aisle models sync` brings it up to date."


@dataclass(frozen=True)
class Place:
    """A registry.

    Args:
        folder: Where the database file and the artifacts are, if no server is named.
        uri: A tracking server, ``http://host:port``.
    """

    folder: Path
    uri: str | None = None

    @property
    def database(self) -> str:
        """The database file, as MLflow names it."""
        return f"sqlite:///{self.folder.resolve() / 'mlflow.db'}"

    @property
    def artifacts(self) -> str | None:
        """Where artifacts go; None: where the server says."""
        return None if self.uri else (self.folder.resolve() / "artifacts").as_uri()


@contextmanager
def opened(place: Place) -> "Iterator[MlflowClient]":
    """MLflow's client, for one process at a time.

    Several that open a new database at once break it while its tables are made, and of two that record one bundle
    each would find it missing. The lock ends with its holder, however that comes.

    Raises:
        OSError: The folder cannot be written.
        RegistryUnavailable: Another process keeps it, or MLflow or one of its libraries raised anything, now or at a
            call within the context.
    """
    place.folder.mkdir(parents=True, exist_ok=True)
    with (place.folder / ".lock").open("w") as lock:
        _take(lock, place.folder)
        os.environ.update(QUIET)
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        uri = place.uri or place.database
        try:
            from mlflow import MlflowClient

            yield MlflowClient(uri, uri)
        except (AisleError, OSError):
            raise
        except Exception as error:
            # Of MLflow, SQLAlchemy, Alembic, requests: there is no end of them, and nobody tells them apart.
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            raise RegistryUnavailable(_without_passwords(f"MLflow at {uri}: {what}"), hint=_HINT) from error


def _take(lock: IO[str], folder: Path) -> None:
    until = monotonic() + _LOCK_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if monotonic() > until:
                raise RegistryUnavailable(
                    f"Another process has had the registry in {folder} for {_LOCK_S:g} s.", hint=_HINT
                ) from error
        sleep(_LOOK_S)


def _without_passwords(text: str) -> str:
    """A text whose addresses have no user and password before their hosts."""
    return re.sub(r"://[^/@\s]*@", "://", text)
