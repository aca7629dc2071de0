"""Secrets that are kept in files: read when they are needed, so that a new one needs no new settings."""

from pathlib import Path

from pydantic import SecretStr

from infra.errors import SettingsInvalid


def read_secret(variable: str, path: Path) -> str:
    """The one line of a file with a secret, without the line's end.

    Args:
        variable: The setting that names the file.
        path: The file.

    Raises:
        SettingsInvalid: It cannot be read, is empty, or has several lines.
    """
    try:
        text = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(variable, path, error) from None
    if not text or "\n" in text:
        raise SettingsInvalid(f"{variable} names {path}, which has {'several lines' if text else 'nothing in it'}.")
    return text


def secret_of(variable: str, value: SecretStr | None, path: Path | None) -> str | None:
    """A secret that is given, or is in a file, or neither.

    Args:
        variable: The setting that would give it; the one that names its file ends with ``_FILE``.
        value: What it gives.
        path: The file.

    Raises:
        SettingsInvalid: It is given twice, or cannot be read.
    """
    if value is not None and path is not None:
        raise SettingsInvalid(f"{variable} and {variable}_FILE are both set.", hint="Keep the file.")
    if path is not None:
        return read_secret(f"{variable}_FILE", path)
    return None if value is None else value.get_secret_value()


def unreadable(variable: str, path: Path, error: Exception) -> SettingsInvalid:
    """The error of a file that cannot be used."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SettingsInvalid(f"{variable} names {path}, which cannot be read: {why}.")
