"""Telling a topic from one of the same name that was made after it.

Offsets of a topic that was deleted mean nothing in its successor: a consumer that reads on from them passes
records over, and so does whoever finds them committed. Neither shows, once the successor has grown past them:
Kafka 4 drops a group's offsets with the topic, but takes new ones for the successor from a consumer that was
busy meanwhile. Brokers give each topic an id; aiokafka 0.14 does not ask for it, so the request is ours.
"""

import asyncio
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any, ClassVar, Final
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaError,
    NodeNotReadyError,
    NoError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from infra.errors import TopicMissing, TopicRemade
from infra.logging import get_logger

_ANY: Final = UUID(int=0)
_ANSWER_S: Final = 5.0  # the client's own limit may be the whole retry budget

logger = get_logger(__name__)


class TopicIds:
    """Which topics a consumer's offsets belong to."""

    def __init__(self) -> None:
        self._names: Collection[str] = ()
        self._known: Mapping[str, UUID] = {}

    async def learn(self, client: AIOKafkaClient, names: Collection[str]) -> None:
        """Note the topics of an assignment, before anything is read; with the broker away, at the next check.

        Raises:
            TopicMissing: One does not exist.
        """
        self._names, self._known = names, {}
        try:
            self._known = await topic_ids(client, names)
        except KafkaError as error:
            logger.warning("topic ids not known", why=repr(error))

    async def check(self, client: AIOKafkaClient) -> None:
        """Make sure that these are still the topics of the assignment, before anything is committed.

        Raises:
            TopicMissing: One was deleted.
            TopicRemade: One was deleted and made anew.
            KafkaError: No broker answers.
        """
        now = await topic_ids(client, self._names)
        self._known = self._known or now
        for name, topic_id in self._known.items():
            if now[name] != topic_id:
                raise TopicRemade(
                    f"{name} was deleted and made anew while it was read.",
                    hint="Nothing was committed to the new one: after the restart it is read from its beginning.",
                )


async def topic_ids(client: AIOKafkaClient, names: Collection[str]) -> dict[str, UUID]:
    """The ids of topics; the same for all of them on brokers before 2.8, which give none.

    Raises:
        TopicMissing: One does not exist.
        KafkaError: No broker answers, or it does not answer this.
    """
    if not names:
        return {}
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    try:
        async with asyncio.timeout(_ANSWER_S):
            answer = await client.send(node, _MetadataRequest(names))
    except NotImplementedError:  # how aiokafka says that the broker knows no such version
        return dict.fromkeys(names, _ANY)
    except TimeoutError as error:
        raise RequestTimedOutError(f"no answer within {_ANSWER_S:g} s") from error
    return {name: _checked(for_code(error), name, topic_id) for error, name, topic_id, *_ in answer.topics}


def _checked(error: Any, name: str, topic_id: UUID) -> UUID:
    if error is UnknownTopicOrPartitionError:
        raise TopicMissing(f"There is no topic {name} any more.", hint="Run `aisle topics create`.")
    if error is not NoError:
        raise error(name)
    return topic_id


class _Uuid(AbstractType[UUID]):  # type: ignore[misc] # aiokafka has no types
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_NAME: Final = CompactString("utf-8")
_NUMBERS: Final = CompactArray(Int32)
_TAGS: Final = ("tags", TaggedFields)


class _MetadataResponse12(Response):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 3
    API_VERSION = 12
    SCHEMA: ClassVar = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS)),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", _NUMBERS),
                        ("isr", _NUMBERS),
                        ("offline", _NUMBERS),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _MetadataRequest12(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _NAME), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _MetadataRequest(Request[_MetadataRequest12]):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 3

    def __init__(self, names: Collection[str]) -> None:
        self._topics: list[tuple[UUID, str, dict[int, bytes]]] = [(_ANY, name, {}) for name in names]

    def build(self, request_struct_class: type[_MetadataRequest12]) -> _MetadataRequest12:
        return request_struct_class(self._topics, False, False, {})
