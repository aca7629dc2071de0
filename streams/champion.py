"""Which model a worker is to serve: as models.events says, or the pointer file where that could not be told."""

import asyncio
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from infra.kafka.follower import Follower
from infra.logging import get_logger
from infra.model_events import Standing, tell
from model.champion import POINTER, keep, read_champion
from schemas.errors import AisleError
from schemas.model_event import ModelEvent, in_force
from schemas.topics import MODELS_EVENTS

_LOOK_EVERY_S: Final = 2.0  # at the pointer file: a stat

logger = get_logger(__name__)


class Champion:
    """The decision in force, as this worker knows it.

    Args:
        models_dir: Where the pointer file is.
    """

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir
        self._told: ModelEvent | None = None
        self._kept: ModelEvent | None = None
        self._seen: tuple[int, int] | None = None
        self._news = asyncio.Event()
        self._offered: ModelEvent | None = None

    def follower(self) -> Follower[Standing]:
        """What reads the topic for this."""
        return Follower(MODELS_EVENTS, self, "which model is in service")

    def begin(self, partitions: int) -> Standing:  # noqa: ARG002 - the follower's
        """Nothing is decided yet."""
        return Standing()

    def take(self, record: ConsumerRecord, state: Standing) -> None:
        """Add a record of the topic."""
        state.take(record)

    def put(self, state: Standing) -> None:
        """This is what the topic says by now."""
        if state.champion != self._told:
            self._told = state.champion
            self._news.set()

    def now(self) -> ModelEvent | None:
        """The decision in force; None where there never was one."""
        return in_force(self._told, self._from_file())

    async def other_than(self, known: ModelEvent | None, within_s: float = float("inf")) -> None:
        """Return once the decision in force is another than the one that is known, or the time is over."""
        until = monotonic() + within_s
        while self.now() == known and (left_s := until - monotonic()) > 0:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, _LOOK_EVERY_S)):
                    await self._news.wait()

    async def spread(self, served: ModelEvent, bootstrap: str) -> None:
        """Bring topic and pointer file to a decision that was carried out here.

        The file is for commands, and for a start without a broker; a folder that cannot be written to stays as it is.
        The topic is told what was decided where nobody could tell it, once by each worker.
        """
        if served != self._from_file():
            with suppress(OSError):
                await asyncio.to_thread(keep, self._models_dir, served)
        if not served.follows(self._told) or served == self._offered:
            return
        self._offered = served
        try:
            await tell(bootstrap, served)
        except (AisleError, KafkaError) as error:
            logger.warning("the topic has not the decision of the pointer file", why=str(error))
        else:
            logger.info("told the decision of the pointer file", version=served.model.version, topic=MODELS_EVENTS)

    def _from_file(self) -> ModelEvent | None:
        """What the pointer file keeps, read when it has changed; None where it cannot be read."""
        pointer = self._models_dir / POINTER
        try:
            status = pointer.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._seen:
                self._seen, self._kept = stamp, None
                self._kept = read_champion(self._models_dir)
        except FileNotFoundError:
            self._seen = self._kept = None
        except (AisleError, OSError) as error:
            logger.warning("the pointer file cannot be read", why=str(error))
        return self._kept
