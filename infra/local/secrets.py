"""What the local broker and its clients know of each other, where the settings ask for it: made once, kept at 0600."""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from infra.certificates import Authority
from infra.local.ports import HOST

USER: Final = "aisle"

_FOLDER: Final = "secrets"
_CA: Final = "ca.pem"
_SERVER: Final = "server.pem"
_PASSWORD: Final = "password"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class LocalSecrets:
    """A certificate that clients trust, a server's of its making, a user with a password.

    Args:
        folder: Where they are.
    """

    folder: Path
    user: str = USER

    @classmethod
    def found(cls, data_dir: Path) -> Self | None:
        """Those of a data directory; None when it has none."""
        folder = secrets_dir(data_dir)
        return cls(folder) if folder.exists() else None

    @classmethod
    def ensure(cls, data_dir: Path) -> Self:
        """Those of a data directory, made when it has none: all or nothing, whenever it is killed."""
        folder = secrets_dir(data_dir)
        if not folder.exists():
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True, mode=0o700)
            _write(fresh / _PASSWORD, secrets.token_urlsafe(24))
            authority = Authority("aisle")
            _write(fresh / _CA, authority.certificate)
            _write(fresh / _SERVER, authority.server("localhost", HOST))
            fresh.rename(folder)
        return cls(folder)

    @property
    def ca(self) -> Path:
        """The certificate by which the server is trusted (PEM)."""
        return self.folder / _CA

    @property
    def server(self) -> Path:
        """The server's private key and certificate (PEM)."""
        return self.folder / _SERVER

    @property
    def password_file(self) -> Path:
        """The file with the user's password."""
        return self.folder / _PASSWORD

    @property
    def password(self) -> str:
        """The user's password."""
        return self.password_file.read_text()


def secrets_dir(data_dir: Path) -> Path:
    """Where a data directory keeps its broker's secrets."""
    return data_dir / "kafka" / _FOLDER


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
