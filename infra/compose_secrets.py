"""``python -m infra.compose_secrets FOLDER``: what the servers and processes of the compose file know of each other.

Runs once, as root, in a container of its own (``docker-compose.secure.yml``). Each folder below is a volume that only
those mount who need it; its files are its owner's alone (0600). A folder that has its files is left as it is: to have
new ones, remove the volumes. Makes no use of settings.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.certificates import Authority

USER: Final = "aisle"
OWNERS: Final = {"kafka": 1000, "mongo": 999, "stream": 10001, "store": 10001}
"""The user that each folder's image runs as: the servers' own, and aisle's by what a process speaks to."""

_DONE: Final = "made"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"


def make(folder: Path) -> bool:
    """Make what is missing; False when nothing was.

    Args:
        folder: With a folder for each owner.

    Raises:
        RuntimeError: Some volumes have their files and others have not: they would not know each other.
    """
    done = [(folder / name / _DONE).exists() for name in OWNERS]
    if all(done):
        return False
    if any(done):
        raise RuntimeError("some of the volumes of secrets are new and others are not: remove all of them")
    for name, files in _files().items():
        for file, text in files.items():
            _write(folder / name / file, text, OWNERS[name])
        os.chown(folder / name, os.getuid(), os.getgid())  # another's by now, if a start was killed: its mode is his
        (folder / name).chmod(0o700)
        os.chown(folder / name, OWNERS[name], OWNERS[name])
    for name in OWNERS:  # all or none
        _write(folder / name / _DONE, "", OWNERS[name])
    return True


def _files() -> dict[str, dict[str, str]]:
    """The files of each folder."""
    authority = Authority("aisle compose")
    kafka, mongo, admin = (secrets.token_urlsafe(24) for _ in range(3))
    trusted = {"ca.pem": authority.certificate}
    return {
        "kafka": trusted
        | {
            "server.pem": authority.server("kafka", "localhost", "127.0.0.1"),
            # The image adds to it what its variables say.
            "server.properties": _properties(_broker(kafka)),
            "client.properties": _properties(_client(kafka)),
        },
        "mongo": trusted
        | {
            "server.pem": authority.server("mongo", "localhost", "127.0.0.1"),
            "admin_password": admin,
            "aisle_password": mongo,
        },
        "stream": trusted | {"kafka_password": kafka},
        "store": trusted | {"mongodb_password": mongo},
    }


def _broker(password: str) -> dict[str, str]:
    who = f'{_PLAIN} required username="{USER}" password="{password}" user_{USER}="{password}";'
    listeners = ("inside", "host", "controller")
    return {f"listener.name.{name}.plain.sasl.jaas.config": who for name in listeners}


def _client(password: str) -> dict[str, str]:
    """For Kafka's own tools in the broker's container: its health check, and an operator."""
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{_PLAIN} required username="{USER}" password="{password}";',
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/run/aisle/ca.pem",
    }


def _properties(lines: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _write(path: Path, text: str, owner: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.chown(path, owner, owner)


if __name__ == "__main__":
    print("made" if make(Path(sys.argv[1])) else "they are there")
