"""One replay from its beginning, or from where it was stopped, to its end."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any, Final

from infra.endpoints import find_kafka
from infra.errors import TopicMissing
from infra.kafka.clients import admin_client, producer_client
from infra.lease import utc_now
from infra.settings import Settings
from model.data.dataset import RowProblems
from schemas.limits import MAX_PRODUCT_RECORD_BYTES, MAX_RECORD_BYTES
from schemas.topics import FEEDBACK, PRODUCTS_IN, TOPICS
from scripts.errors import ProductsRefused, TopicRefused
from scripts.forgotten import respecting
from scripts.progress import progress_bar
from scripts.replay_asked import Asked
from scripts.replay_model import classifying, found
from scripts.replay_source import opened
from streams.errors import ReplayChanged
from streams.replay.checkpoint import Replay, Replays
from streams.replay.event import Event, Source
from streams.replay.file import FileSource
from streams.replay.pace import Pace
from streams.replay.send import Sender, Sent
from streams.replay.topic import TopicSource

_TAKEN_FROM_OTHERS: Final = (PRODUCTS_IN, FEEDBACK)


class Run:
    """A replay.

    Args:
        settings: What is in force.
        replays: Where is kept how far it came.
        asked: What it was told.
        former: The one that goes on; None: a new one.
    """

    def __init__(self, settings: Settings, replays: Replays, asked: Asked, former: Replay | None = None) -> None:
        self._settings = settings
        self._replays = replays
        self._former = former
        self.asked = asked
        self.problems = RowProblems()
        self.replay: Replay | None = former
        self.counted = Sent()
        self.passed_over = Counter[str]()
        self.seconds = 0.0
        self.topic = asked.target
        self._digest: str | None = None

    async def run(self, *, dry_run: bool) -> None:
        """Send what is left, or count it.

        Raises:
            AisleError: The source or the target cannot be used, or the brokers went away.
        """
        began = monotonic()
        bounds = dict(self._former.bounds) if self._former else {}
        if self.asked.model is not None:
            self.asked = self.asked.model_copy(update={"model": await found(self._settings, self.asked.model)})
        elif not dry_run:
            await self._check_target()
        async with (
            opened(self._settings, self.asked, bounds, self.problems) as chosen,
            respecting(self._settings, chosen) as source,
        ):
            self._digest = _digest_of(chosen)
            self.passed_over = source.passed_over
            total = await source.total()
            limit = self.asked.limit
            if dry_run:
                await self._count(source, total)
            else:
                await self._send(source, bounds, total if limit is None else min(total, limit))
        self.seconds = monotonic() - began

    def report(self, *, dry_run: bool) -> dict[str, Any]:
        """What was done, for machines."""
        known = {} if self.replay is None else {"replay": self.replay.id}
        return known | {
            **({"topic": self.topic} if self.asked.model is None else {"model": Path(self.asked.model).name}),
            "dry_run": dry_run,
            "seconds": round(self.seconds, 3),
            "events": self.counted.events,
            "bytes": self.counted.bytes,
            "refused": self.counted.refused.total(),
            "passed_over": self.passed_over.total() + self.problems.empty + self.problems.broken,
            "passed_over_as": dict(self.passed_over),
        }

    def check_refused(self) -> None:
        """Make sure that everything was sent.

        Raises:
            ProductsRefused: Some could not be.
        """
        if refused := self.counted.refused:
            why = ", ".join(f"{count:,} {reason}" for reason, count in refused.items())
            what = "sent" if self.asked.model is None else "classified"
            raise ProductsRefused(f"{refused.total():,} products cannot be {what}: {why}.")

    async def _check_target(self) -> None:
        ours = {spec.name for spec in TOPICS} - set(_TAKEN_FROM_OTHERS)
        if self.topic in ours:
            raise TopicRefused(
                f"{self.topic} is written by aisle alone.", hint=f"Say --to {PRODUCTS_IN}, or a topic of your own."
            )
        async with admin_client(self._bootstrap) as admin:
            if self.topic not in await admin.list_topics():
                raise TopicMissing(f"There is no topic {self.topic}.", hint="Run `aisle topics create`.")

    @property
    def _bootstrap(self) -> str:
        return self.asked.to_cluster or find_kafka(self._settings)

    @property
    def _limit_bytes(self) -> int:
        return MAX_PRODUCT_RECORD_BYTES if self.topic == PRODUCTS_IN else MAX_RECORD_BYTES

    async def _count(self, source: Source, total: int) -> None:
        with progress_bar("counting", total) as told:
            async for event in self._limited(source.events({}), self.asked.limit):
                if len(event.value or b"") > self._limit_bytes:
                    self.counted.refused["too large for a record"] += 1
                else:
                    self.counted.events += 1
                    self.counted.bytes += event.size
                told(self.counted.done)

    async def _send(self, source: Source, bounds: dict[str, tuple[int, int]], total: int) -> None:
        replay = self.replay = self._former or self._begin(bounds, total)
        _check_same(replay, self._digest)
        self._replays.sweep()
        self.counted.events, self.counted.bytes = replay.events, replay.bytes
        self.counted.refused.update(replay.refused)
        self.counted.positions.update(replay.positions)
        self._replays.write(replay)
        with progress_bar("replaying" if self.asked.model is None else "classifying", replay.total) as told:

            def confirmed(sent: Sent) -> None:
                replay.events, replay.bytes = sent.events, sent.bytes
                replay.refused, replay.positions = dict(sent.refused), dict(sent.positions)
                self._replays.write(replay)
                told(sent.done + self.passed_over.total())

            left = None if self.asked.limit is None else self.asked.limit - self.counted.done
            events = self._limited(source.events(dict(replay.positions)), left)
            pace = Pace(self.asked.rate, self.asked.speed)
            if (version := self.asked.model) is not None:
                model = classifying(self._settings, version, replay.id, pace, confirmed, self.counted)
                async with model as what_if:
                    await what_if.run(events)
            else:
                async with producer_client(self._bootstrap, idempotent=False) as producer:
                    name = None if self.asked.file else replay.id  # a file's products were not published before
                    sender = Sender(producer, self.topic, name, self._limit_bytes, pace, confirmed, self.counted)
                    await sender.send(events)
        replay.ended_at = utc_now()
        self._replays.write(replay)

    def _begin(self, bounds: dict[str, tuple[int, int]], total: int) -> Replay:
        options = self.asked.model_dump(mode="json", exclude_defaults=True)
        if self.asked.file is not None:
            options["file"] = str(self.asked.file.resolve())
        return Replay.new(options, self._digest, total, bounds)

    async def _limited(self, events: AsyncIterator[Event], limit: int | None) -> AsyncIterator[Event]:
        left = limit
        if left is not None and left <= 0:
            return
        async for event in events:
            yield event
            if left is not None:
                left -= 1
                if left <= 0:
                    return


def _digest_of(source: Source) -> str | None:
    if isinstance(source, FileSource):
        return source.events_of.source
    return source.topic_id if isinstance(source, TopicSource) else None


def _check_same(replay: Replay, digest: str | None) -> None:
    if None in (digest, replay.digest) or replay.digest == digest:
        return
    if (topic := replay.options.get("topic")) is not None:
        raise ReplayChanged(
            f"{topic} was deleted and made anew since this replay began: its offsets are of other records now.",
            hint="Replay it anew. What the old one held is gone; `aisle replay --items` still has what was archived.",
        )
    raise ReplayChanged(
        f"{replay.options['file']} is not the file that this replay began with.",
        hint="Replay it anew: what was sent before has other ids then.",
    )
