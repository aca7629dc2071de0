"""Integration tests against servers that ask who one is: the same suite, with ``AISLE_TEST_SECURE`` set.

``AISLE_TEST_SECURE=broker`` runs it against a broker with SASL_SSL and SCRAM-SHA-512, ``=store`` against that and a
durable store with TLS and SCRAM: FerretDB on PostgreSQL, which takes root, as ``tests/chaos/durable_store.py`` says.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from pydantic import SecretStr

from infra.local.ports import HOST
from infra.local.secrets import LocalSecrets, secrets_dir
from infra.settings import Settings, load_settings
from tests.chaos.durable_store import Ferret, build

VARIABLE: Final = "AISLE_TEST_SECURE"
STORE_URI: Final = "AISLE_TEST_SECURE_STORE"
"""Set while such a store runs."""
PASSWORD_FILE: Final = "AISLE_KAFKA_PASSWORD_FILE"  # noqa: S105 - a variable's name

TLS_MAY_BE_CUT: Final = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""asyncio ends a TLS connection some turns after it is closed: a loop that ends with it leaves it to the collector."""

CANNOT: Final = {
    "test_examples": ("broker", "store"),  # programs for others to copy, which connect without a user
    "test_the_first_own_product_is_classified": ("broker", "store"),  # another such
    "test_local_services": ("store",),  # about the embedded store
    "test_restore": ("store",),  # destroys the store's own files
    "test_secure_broker": ("broker", "store"),  # has such a broker of its own, and settings that are wrong for it
    "test_store_outage": ("store",),  # puts a proxy before a store without users
}
"""Files and tests that are about servers which ask nobody, by what is asked for."""


def unfit(item: pytest.Item) -> str | None:
    """Why a test is skipped; None for nearly all."""
    what = os.environ.get(VARIABLE, "")
    cannot = {*CANNOT.get(item.path.stem, ()), *CANNOT.get(item.name, ())}
    return f"{VARIABLE}={what} is not for it" if what in cannot else None


@contextmanager
def secured(folder: Path) -> Iterator[None]:
    """Have servers started and clients made as the variable asks for, while the context lasts.

    Args:
        folder: Takes secrets, and the store's data.
    """
    what = os.environ.get(VARIABLE)
    if what is None:
        yield
        return
    assert what in ("broker", "store"), what
    secrets = LocalSecrets.ensure(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISLE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
        patch.setenv("AISLE_KAFKA_USER", secrets.user)
        patch.setenv(PASSWORD_FILE, str(secrets.password_file))
        patch.setenv("AISLE_KAFKA_CA_FILE", str(secrets.ca))
        load_settings.cache_clear()
        if what == "broker":
            yield
        else:
            with locked_store(folder, secrets) as uri:
                patch.setenv(STORE_URI, uri)
                yield
    load_settings.cache_clear()


def share_secrets(data_dir: Path) -> None:
    """Give the broker of a new data directory the secrets that clients have been told."""
    told = os.environ.get(PASSWORD_FILE)
    if VARIABLE in os.environ and told is not None and not secrets_dir(data_dir).exists():
        shutil.copytree(Path(told).parent, secrets_dir(data_dir))


def with_store(settings: Settings) -> Settings:
    """The settings with the store that asks who one is, if it runs, and a database of their own there."""
    if (uri := os.environ.get(STORE_URI)) is None:
        return settings
    # As given and not as the default: a child's environment is made of what was given.
    given = settings.model_dump(include=settings.model_fields_set)
    return Settings(**given | {"mongodb_uri": SecretStr(uri), "mongodb_database": f"aisle-{uuid4().hex}"})


@contextmanager
def locked_store(folder: Path, secrets: LocalSecrets) -> Iterator[str]:
    """A durable store that wants TLS, a user and a password; its URI, which has them."""
    store = LockedFerret(build(), folder / "durable", secrets)
    try:
        store.start()
        yield store.uri
    finally:
        store.stop()


class LockedFerret(Ferret):
    """FerretDB with one user, by TLS only.

    Args:
        built: What ``build`` made.
        folder: Takes data and logs.
        secrets: Its certificate, and its user.
    """

    def __init__(self, built: Path, folder: Path, secrets: LocalSecrets) -> None:
        super().__init__(built, folder)
        self._secrets = secrets

    @property
    def uri(self) -> str:
        """Where it answers, with user, password and what it is trusted by."""
        options = urlencode({"directConnection": "true", "tls": "true", "tlsCAFile": self._secrets.ca})
        return f"mongodb://{self._secrets.user}:{self._secrets.password}@{self.address}/?{options}"

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self._ports['store']}"

    @property
    def _listening(self) -> tuple[str, ...]:
        server = self._secrets.server
        files = (f"--listen-tls-cert-file={server}", f"--listen-tls-key-file={server}")
        return ("--listen-addr=", f"--listen-tls={self.address}", *files)

    @property
    def _first(self) -> tuple[str, ...]:
        roles = '[{"role":"clusterAdmin","db":"admin"},{"role":"readWriteAnyDatabase","db":"admin"}]'
        user = f'{{"createUser":"{self._secrets.user}","pwd":"{self._secrets.password}","roles":{roles}}}'
        return (*super()._first, f"select documentdb_api.create_user('{user}')")
