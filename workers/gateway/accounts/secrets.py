"""What nobody can guess, and the secret that access tokens are signed with."""

import os
import secrets
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final

from infra.errors import SettingsInvalid
from infra.settings import Settings

_SHORTEST: Final = 32


def new_secret() -> str:
    """256 random bits, for URLs and headers."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is stored of such a secret; a plain SHA-256 will do, as it cannot be guessed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret_of(secret: str, digest: str) -> bool:
    """Whether a digest is this secret's, in a time that does not tell how much of it agrees."""
    return compare_digest(digest_of(secret), digest)


def signing_secret(settings: Settings) -> bytes:
    """The secret of the settings; else that of the data directory, which is made if there is none.

    Raises:
        SettingsInvalid: The file has too short a secret.
        OSError: It cannot be read or made.
    """
    if settings.gateway_secret is not None:
        return settings.gateway_secret.get_secret_value().encode()
    path = settings.data_dir / "secrets" / "gateway.key"
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        _make(path)
        secret = path.read_bytes()
    if len(secret.strip()) < _SHORTEST:
        raise SettingsInvalid(
            f"{path} has no usable secret.", hint="Remove the file: the next start makes another, and all sign in anew."
        )
    return secret.strip()


def _make(path: Path) -> None:
    """Write a new secret whole, and give it its name only then; of several processes the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink(missing_ok=True)
