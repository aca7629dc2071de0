"""Messages to somebody else's server, signed as Standard Webhooks has it, so that its libraries verify them.

The specification is "Standard Webhooks" 1.0.0: three headers give an id, the time of the attempt, and HMAC-SHA256 of
``id.time.body``. Who receives it refuses a time that is more than five minutes off, and an id that was there before.
"""

import asyncio
import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from infra.errors import DeliveryFailed, SettingsInvalid
from infra.logging import get_logger
from infra.settings import Settings

SECRET_FILE: Final = Path("secrets", "alert-webhook")
"""Where the key is kept below the data directory when none is set; readable by its owner alone."""

PAUSES_S: Final = (1.0, 4.0, 15.0, 60.0)
"""Between the attempts at one message."""

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32
_TIMEOUT_S: Final = 10.0
_ASK_AGAIN: Final = frozenset({408, 425, 429})  # beside 5xx: any other refusal is a last word

Sleep = Callable[[float], Awaitable[None]]

logger = get_logger(__name__)


class Webhook:
    """Where messages are posted.

    Args:
        url: Its address.
        key: What messages are signed with.
        sleep: Waits between attempts.
    """

    def __init__(self, url: str, key: bytes, sleep: Sleep = asyncio.sleep) -> None:
        self._url = url
        self._key = key
        self._sleep = sleep

    @classmethod
    def of(cls, settings: Settings) -> "Webhook | None":
        """The one that is set; None where there is none. Without a key in the settings, one is made and kept.

        Raises:
            SettingsInvalid: The key is no base64 after its prefix.
            OSError: The data directory cannot be written.
        """
        if settings.alert_webhook is None:
            return None
        given = settings.alert_secret
        text = kept_secret(settings.data_dir / SECRET_FILE) if given is None else given.get_secret_value()
        return cls(settings.alert_webhook.get_secret_value(), key_of(text))

    async def post(self, identity: str, message: Mapping[str, Any]) -> None:
        """Post a message as JSON, again after a while where it is not taken; under one id, so that it counts once.

        Args:
            identity: Of the message.
            message: What to say.

        Raises:
            DeliveryFailed: It was refused, or not taken at any attempt.
        """
        body = orjson.dumps(message, default=str)
        for pause in (*PAUSES_S, None):
            why = await self._attempt(identity, body)
            if why is None:
                return
            if pause is None:
                raise DeliveryFailed(f"The alert webhook did not take a message: {why}.")
            logger.warning("the alert webhook did not take a message, trying again", why=why, pause_s=pause)
            await self._sleep(pause)

    async def _attempt(self, identity: str, body: bytes) -> str | None:
        """Why the message was not taken; None when it was.

        Raises:
            DeliveryFailed: It was refused for good.
        """
        headers = {"content-type": "application/json", **signed(self._key, identity, datetime.now(UTC), body)}
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return type(error).__name__  # its text may have the address, which may be a secret
        if 200 <= status < 300:
            return None
        if status < 500 and status not in _ASK_AGAIN:
            raise DeliveryFailed(f"The alert webhook refused a message: status {status}.")
        return f"status {status}"


def signed(key: bytes, identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that show whom a message is from, and that it is new."""
    time = str(int(at.timestamp()))
    digest = hmac.new(key, f"{identity}.{time}.".encode() + body, sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": identity, "webhook-timestamp": time, "webhook-signature": signature}


def key_of(text: str) -> bytes:
    """The key that a text stands for: base64 after ``whsec_``, as the specification writes keys, else the text itself.

    Raises:
        SettingsInvalid: What follows the prefix is no base64.
    """
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise SettingsInvalid("AISLE_ALERT_SECRET has no base64 after whsec_.", hint="Copy it again.") from error


def kept_secret(path: Path) -> str:
    """The key in a file, made at the first call; of several processes that make it at once, one does.

    Raises:
        OSError: The file cannot be read or written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(_PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
    with suppress(FileExistsError):
        os.link(fresh, path)  # in one step and whole, and never over one that is there
    fresh.unlink()
    return path.read_text().strip()
