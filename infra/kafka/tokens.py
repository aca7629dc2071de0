"""Tokens for brokers that take OAuth's (SASL OAUTHBEARER): from a file, or by client credentials (RFC 6749, 4.4)."""

import asyncio
import json
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

from infra.errors import SettingsInvalid
from infra.secret_files import read_secret

_WAIT_S: Final = 10.0
_EARLY: Final = 0.8  # a token is renewed when this part of its life is over
_SHORT_S: Final = 60.0  # for one that does not say how long it is good for
_MAX_BYTES: Final = 1 << 20


class _Stays(HTTPRedirectHandler):
    """Follows no redirection: the client's secret would go along, also to another host or in the clear."""

    def redirect_request(self, *_place: Any, **_named: Any) -> None:
        """Nowhere: the answer counts as it is."""


_OPENER: Final = build_opener(_Stays)


class Tokens(AbstractTokenProvider):  # type: ignore[misc] # aiokafka has no types
    """What gives a token for a new connection; asked in threads, as Faust's consumer has an event loop of its own."""

    async def token(self) -> str:
        """A token that is good now.

        Raises:
            KafkaConnectionError: There is none; asked again later there may be.
        """
        return await asyncio.to_thread(self.current)

    def current(self) -> str:
        """The same, for a thread."""
        raise NotImplementedError


@dataclass(frozen=True)
class FileToken(Tokens):
    """The token in a file, as it is now: another program renews it."""

    path: Path

    def current(self) -> str:
        """The file's one line."""
        try:
            return read_secret("AISLE_KAFKA_TOKEN_FILE", self.path)
        except SettingsInvalid as error:  # while it is renewed, perhaps
            raise KafkaConnectionError(error.message) from None


@dataclass
class UrlToken(Tokens):
    """A token had for a client's id and secret, kept until most of its life is over.

    Args:
        url: Where tokens are had.
        client: The client's id.
        secret: Its secret.
        scope: What is asked for; None: what the client has anyway.
    """

    url: str
    client: str
    secret: str = field(repr=False)
    scope: str | None = None
    _token: str = field(default="", repr=False)
    _until_s: float = field(default=0.0, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    @cache
    def of(cls, url: str, client: str, secret: str, scope: str | None) -> "UrlToken":
        """The one of this process, so that all its clients share a token."""
        return cls(url, client, secret, scope)

    def current(self) -> str:
        """The token that is kept, or a new one."""
        with self._lock:
            if monotonic() >= self._until_s:
                asked_s = monotonic()
                self._token, good_s = self._ask()
                self._until_s = asked_s + _EARLY * good_s
            return self._token

    def _ask(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        known = b64encode(f"{quote(self.client, safe='')}:{quote(self.secret, safe='')}".encode()).decode()
        headers = {"Authorization": f"Basic {known}", "Accept": "application/json"}
        try:
            request = Request(self.url, urlencode(form).encode(), headers)  # noqa: S310 - https, or this machine: settings
            with _OPENER.open(request, timeout=_WAIT_S) as answer:
                told = json.loads(answer.read(_MAX_BYTES))
            return str(told["access_token"]), float(told.get("expires_in") or _SHORT_S)
        except HTTPError as error:
            error.close()
            raise KafkaConnectionError(f"AISLE_KAFKA_TOKEN_URL gives no token: it answers {error.code}.") from None
        except URLError as error:
            raise KafkaConnectionError(f"AISLE_KAFKA_TOKEN_URL gives no token: {error.reason}.") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KafkaConnectionError(f"AISLE_KAFKA_TOKEN_URL gives no token: {type(error).__name__}.") from None
