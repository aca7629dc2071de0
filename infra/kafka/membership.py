"""Whether another process has taken a static member's place in its group."""

from contextlib import suppress
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from infra.errors import BrokerUnavailable
from infra.kafka.clients import admin_client

if TYPE_CHECKING:
    from infra.kafka.app import BatchApp

_MEMBERS = 5  # the place of the members in a group's description
_UUID_CHARACTERS = 36


def is_member(client: AIOKafkaConsumer) -> bool:
    """Whether a consumer is in its group now, as far as it knows.

    One that was asleep and is no longer known forgets its generation, and aiokafka 0.14 then commits as a consumer
    without a group does. Kafka takes that for a group that is empty just now, and its offsets go back.
    """
    generation: int = client._coordinator.generation  # noqa: SLF001 - nothing else tells
    return generation >= 0


async def replaced_by(app: "BatchApp", bootstrap: str) -> str | None:
    """The member that the broker knows by this app's instance id, when it no longer knows this one.

    aiokafka 0.14 sends heartbeats without the instance id, so a fenced member hears what it would hear after
    its session has ended, "unknown member". It then joins again and so fences the other, and both take the
    place from each other for ever, without a word. Kafka names a static member "<instance id>-<UUID>".

    Args:
        app: A static member that has been in its group and is about to join again.
        bootstrap: ``host:port`` of the brokers.
    """
    if app.batch_consumer.client._coordinator.member_id:  # noqa: SLF001 - nothing else tells; empty: forgotten
        return None
    with suppress(BrokerUnavailable, KafkaError):
        async with admin_client(bootstrap) as admin:
            (answer,) = await admin.describe_consumer_groups([app.conf.id])
        names: list[str] = [member[0] for member in answer.groups[0][_MEMBERS]]
        instance = app.conf.consumer_group_instance_id
        return next((name for name in names if name[: -_UUID_CHARACTERS - 1] == instance), None)
    return None
