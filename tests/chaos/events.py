"""What the harness publishes: numbered events, told by ids that follow from the seed, a few of them trouble."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final
from uuid import UUID

RAISES: Final = "chaos: raises"
"""A title on which the harness's model raises."""
HANGS: Final = "chaos: hangs"
"""A title on which it never returns."""
KILLS: Final = "chaos: kills"
"""A title on which it kills its process."""

EVENT_ID: Final = "aisle-event-id"
PRODUCTS: Final = 5_000
BAD_EVERY: Final = 500
RAISES_EVERY: Final = 1_300
STORM: Final = 60
_HUGE: Final = 1_000_000
_FOODS: Final = ("Soupe de légumes", "Yaourt à la fraise", "Pain complet", "Jus d'orange", "Filet de saumon")


@dataclass(frozen=True, slots=True)
class Event:
    """A record to publish, and whether it must end as a dead letter."""

    event_id: UUID
    key: bytes
    value: bytes
    dead: bool = False
    headers: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def all_headers(self) -> list[tuple[str, bytes]]:
        """Its headers and its id."""
        return [*self.headers, (EVENT_ID, str(self.event_id).encode())]


class Events:
    """Makes events; the same seed makes the same ones.

    Args:
        seed: The run's.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def steady(self, number: int) -> Event:
        """One event of the steady flow; now and then one that no model gets, or on which it raises."""
        if number % BAD_EVERY == 0:
            return Event(self._id(f"{number}"), _key(number), b"poison", dead=True)
        if number % RAISES_EVERY == 0:
            return self.titled(f"{number}", RAISES)
        title = f"{_FOODS[number % len(_FOODS)]} n° {number}"
        return Event(self._id(f"{number}"), _key(number), _product(number, title))

    def titled(self, name: str, title: str) -> Event:
        """An event that the harness's model does not survive, or raises on."""
        number = self._dice(name).randrange(PRODUCTS)
        return Event(self._id(name), _key(number), _product(number, title), dead=True)

    def storm(self, name: str) -> Iterator[Event]:
        """A burst of poison: random bytes, huge values, broken headers."""
        dice = self._dice(name)
        for number in range(STORM):
            value, headers = _poison(number, dice)
            yield Event(self._id(f"{name}/{number}"), _key(number), value, dead=True, headers=headers)

    def _dice(self, name: str) -> random.Random:
        """Dice of one event's own, so that the order in which events are made does not matter."""
        return random.Random(f"{self._seed}/{name}")

    def _id(self, name: str) -> UUID:
        return UUID(bytes=blake2b(f"{self._seed}/{name}".encode(), digest_size=16).digest(), version=4)


def _poison(number: int, dice: random.Random) -> tuple[bytes, list[tuple[str, bytes]]]:
    noise = dice.randbytes(dice.randrange(1, 2_000))
    match number % 6:
        case 0:
            return noise, [("ce_time", noise[:200]), ("traceparent", noise[:55]), ("content-type", b"\xff" * 99)]
        case 1 if number < 24:
            return b"[" * _HUGE, []
        case 2 if number < 24:
            return json.dumps({"product_id": "p", "title": ["x" * _HUGE]}).encode(), []
        case 3:
            return b"", [(f"h{i}", dice.randbytes(50)) for i in range(200)]
        case 4:
            return b'{"product_id": "p", "title": "' + noise + b'"', [
                ("", b""),
                ("ce_id", b""),
                ("ce_source", b"\0"),
            ]
        case _:
            return json.dumps({"product_id": None, "title": {"deep": [[[]]]}}).encode(), [("ce_type", noise)]


def _key(number: int) -> bytes:
    return b"p%d" % (number % PRODUCTS)


def _product(number: int, title: str) -> bytes:
    return json.dumps({"product_id": f"p{number % PRODUCTS}", "title": title}).encode()
