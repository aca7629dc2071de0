"""Deciding which model is in service: the topic is told, else the pointer file keeps it until a worker can tell."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.endpoints import find_kafka
from infra.errors import BrokerUnavailable, DeliveryFailed, TopicMissing
from infra.model_events import Standing, decide, read_standing
from infra.settings import Settings
from model.champion import keep, promotion, read_champion
from model.errors import PromotionRefused
from schemas.model_event import CHALLENGER, CHAMPION, ModelEvent, in_force

_NO_TOPIC = (BrokerUnavailable, TopicMissing, DeliveryFailed)

Following = Callable[[ModelEvent | None, Mapping[str, ModelEvent]], ModelEvent]
"""Makes the next decision from the one in force, and from those that the topic still has, by version."""


@dataclass(frozen=True)
class InForce:
    """The decision in force.

    Args:
        event: The decision; None where there never was one.
        made: Decisions that the topic still has, by version.
        untold: Why this is only what the pointer file says; None when it is the topic's word.
        challenger: The decision on the model that is tried beside it, which only the topic has.
    """

    event: ModelEvent | None
    made: Mapping[str, ModelEvent]
    untold: str | None = None
    challenger: ModelEvent | None = None

    @property
    def aliases(self) -> dict[str, ModelEvent | None]:
        """The decisions by alias."""
        return {CHAMPION: self.event, CHALLENGER: self.challenger}


def look_up(settings: Settings) -> InForce:
    """The decision in force, as the topic has it, or the pointer file where that knows better or no broker answers."""
    return asyncio.run(looked_up(settings))


async def looked_up(settings: Settings, within_s: float | None = None) -> InForce:
    """The same, where a loop runs already.

    Args:
        settings: ``data_dir`` and the address of the broker are used.
        within_s: How long the topic is waited for, in seconds; None: as long as it takes.
    """
    kept = read_champion(settings.data_dir / "models")
    try:
        async with asyncio.timeout(within_s):
            standing = await read_standing(find_kafka(settings))
    except TimeoutError:
        return InForce(kept, {}, f"No Kafka broker answered within {within_s:g} s.")
    except _NO_TOPIC as error:
        return InForce(kept, {}, error.message)
    return InForce(in_force(standing.champion, kept), standing.made, challenger=standing.tried)


def put_in_force(settings: Settings, following: Following) -> InForce:
    """Make the next decision, tell the topic and the pointer file.

    Args:
        settings: ``data_dir`` and the address of the broker are used.
        following: Makes the decision; may be asked again if the topic cannot be told.

    Raises:
        PromotionRefused: Somebody else decided at the same time, and was first.
        Exception: What ``following`` raises.
    """
    models_dir = settings.data_dir / "models"
    kept, made = read_champion(models_dir), []

    def next_one(standing: Standing) -> ModelEvent:
        made.append(following(in_force(standing.champion, kept), standing.made))
        return made[-1]

    try:
        standing = asyncio.run(decide(find_kafka(settings), next_one))
    except _NO_TOPIC as error:
        event = following(kept, {})
        keep(models_dir, event)
        return InForce(event, {}, error.message)
    if (stands := standing.champion) != made[-1]:
        who = f"{stands.model.version} by {stands.by}" if stands else "another"
        raise PromotionRefused(
            f"{who} was decided at the same moment: nothing was promoted.", hint="`aisle models list` shows it."
        )
    with suppress(OSError):  # where the folder of bundles is for reading only, the workers have it from the topic
        keep(models_dir, made[-1])
    return InForce(made[-1], standing.made, challenger=standing.tried)


def promote_bundle(settings: Settings, bundle: Path, *, by: str, why: str, expected: str | None = None) -> InForce:
    """Put a bundle in service; see `model.champion.promotion`."""
    return put_in_force(settings, lambda before, _made: promotion(bundle, before, by=by, why=why, expected=expected))
