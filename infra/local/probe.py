"""Whether a local process answers: not that its port is open, but that it does its work."""

import asyncio
import contextlib
import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from infra.local.ports import HOST

if TYPE_CHECKING:
    from infra.kafka.security import Security

_WAIT_S: Final = 2.0
_LIVE_WAIT_S: Final = 5.0  # a worker that loads TensorFlow can be silent for seconds


def kafka_answers(address: str, security: "Security") -> bool:
    """Whether the broker is in service: it names itself as one that topics can be placed on."""
    if not _is_open(address):
        return False
    with ThreadPoolExecutor(1) as thread:  # the caller may be inside an event loop
        return thread.submit(asyncio.run, _has_brokers(address, security)).result()


def store_answers(address: str, uri: str) -> bool:
    """Whether the store answers a ping."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    if not _is_open(address):
        return False
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=int(_WAIT_S * 1_000)) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
    return True


def is_ready(port: int) -> bool:
    """Whether a worker says of itself that it is ready."""
    answer = _ask(port, "ready", _WAIT_S)
    return answer is not None and answer[0] == http.HTTPStatus.OK


def stuck_at(port: int) -> str | None:
    """Why a worker is not alive, in its own words or for want of any; None while it is."""
    answer = _ask(port, "live", _LIVE_WAIT_S)
    if answer is None:
        return "it does not answer"
    status, text = answer
    return None if status == http.HTTPStatus.OK else text


def _ask(port: int, what: str, wait_s: float) -> tuple[int, str] | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=wait_s)
    try:
        connection.request("GET", f"/health/{what}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


async def _has_brokers(address: str, security: "Security") -> bool:
    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    wait_ms = int(_WAIT_S * 1_000)
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=wait_ms, **security.arguments())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_S):
                await client.bootstrap()
        return bool(client.cluster.brokers())
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()


def _is_open(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_WAIT_S).close()
    except OSError:
        return False
    return True
