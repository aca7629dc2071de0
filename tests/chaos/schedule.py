"""When which fault happens: drawn from a seed, so that a run can be had again."""

import random
from dataclasses import dataclass
from itertools import cycle
from typing import Final, Literal

Kind = Literal[
    "kill",
    "terminate",
    "pause",
    "raise",
    "model_broken",
    "poison_storm",
    "event_kills",
    "event_hangs",
    "slow_store",
]

WORKERS: Final = ("classify-1", "classify-2")
ARCHIVE: Final = "archive"
BROKER: Final = "kafka"
"""As the stack calls it."""
STORE: Final = "store"

_PAUSE_S: Final = 20.0
_BROKEN_S: Final = 4.0
_SLOW_S: Final = 10.0
_SETTLED_S: Final = (3.0, 12.0)
_QUIET: Final = 0.04
"""Share of the run at its end, and its beginning, without new faults."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do to what, ``at_s`` seconds after the first event, for how long (0: it is over at once)."""

    at_s: float
    kind: Kind
    target: str = ""
    lasts_s: float = 0.0
    settled_s: float = 0.0
    """How long its target has been back from the fault before, at least: else nobody would ever get to work."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A form of the run.

    Args:
        name: What it is called.
        events: How many events the steady flow has.
        lasts_s: How long it lasts, in seconds.
        faults: What happens: kind, target (``classify``: one of the workers, in turns) and how often.
    """

    name: str
    events: int
    lasts_s: float
    faults: tuple[tuple[Kind, str, int], ...]

    @property
    def has_killers(self) -> bool:
        """Whether events kill or hang the model: these need a short deadline to be found in the time there is."""
        return any(kind in {"event_kills", "event_hangs"} for kind, _, _ in self.faults)


SHORT: Final = Profile("short", 8_000, 32, (("kill", "classify", 3), ("kill", ARCHIVE, 1), ("kill", BROKER, 1)))
"""What `make test` runs."""

CI: Final = Profile(
    "ci",
    50_000,
    185,
    (
        *(("kill", "classify", 8), ("kill", ARCHIVE, 4), ("terminate", "classify", 2), ("pause", "classify", 1)),
        *(("kill", BROKER, 1), ("pause", STORE, 1), ("raise", "", 1), ("poison_storm", "", 1), ("slow_store", "", 1)),
    ),
)

LONG: Final = Profile(
    "long",
    1_000_000,
    3_000,
    (
        *(("kill", "classify", 40), ("kill", ARCHIVE, 12), ("terminate", "classify", 10), ("terminate", ARCHIVE, 4)),
        *(("pause", "classify", 8), ("pause", ARCHIVE, 2), ("pause", STORE, 4), ("slow_store", "", 6)),
        *(("kill", BROKER, 6), ("terminate", BROKER, 4), ("pause", BROKER, 1), ("raise", "", 6)),
        *(("model_broken", "", 4), ("poison_storm", "", 6), ("event_kills", "", 4), ("event_hangs", "", 2)),
    ),
)

STORE_KILLS: Final[dict[str, int]] = {"ci": 3, "long": 8, "short": 1}
"""How often a durable store is killed; the embedded one may lose its last second, so it never is."""

_LASTS: Final[dict[str, float]] = {"pause": _PAUSE_S, "model_broken": _BROKEN_S, "slow_store": _SLOW_S}


def draw(profile: Profile, seed: int, *, durable: bool = False) -> list[Fault]:
    """The faults of a run in the order of their times: one in each slot of equal length, at a random moment of it."""
    dice = random.Random(seed)
    wanted: list[tuple[Kind, str]] = [(kind, target) for kind, target, count in profile.faults for _ in range(count)]
    if durable:
        wanted += [("kill", STORE)] * STORE_KILLS[profile.name]
    dice.shuffle(wanted)
    turns = cycle(dice.sample(WORKERS, len(WORKERS)))
    slot = profile.lasts_s * (1 - 2 * _QUIET) / len(wanted)
    return [
        Fault(
            round(profile.lasts_s * _QUIET + (number + dice.random()) * slot, 2),
            kind,
            next(turns) if target == "classify" else target,
            _LASTS.get(kind, 0.0),
            round(dice.uniform(*_SETTLED_S), 2),
        )
        for number, (kind, target) in enumerate(wanted)
    ]
