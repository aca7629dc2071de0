"""Where the events of ``aisle replay`` come from, by its options."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from scripts.times import Moment

if TYPE_CHECKING:
    from infra.settings import Settings
    from model.data.dataset import ProductRow, RowProblems
    from scripts.replay_asked import Asked
    from streams.replay.event import Source

_OFFSETS: Final = re.compile(r"(\d{1,6}):(\d{0,19})-(\d{0,19})", re.ASCII)
_STAGES: Final = ("decode", "preprocess", "infer", "poison")

_OPTIONS: Final = (
    click.option("--topic", metavar="NAME", help="Records of a topic, as they came."),
    click.option("--partition", multiple=True, type=click.IntRange(0), help="Of these partitions of it; repeatable."),
    click.option("--offsets", multiple=True, metavar="P:FIRST-LAST", help="Of partition P these; repeatable."),
    click.option("--key", multiple=True, help="With these keys, such as product ids; repeatable."),
    click.option("--replayed", is_flag=True, help="Also those that a replay has sent."),
    click.option("--dead-letters", is_flag=True, help="Dead letters that have no prediction yet."),
    click.option("--stage", type=click.Choice(_STAGES), help="Of those, that failed at this stage."),
    click.option("--reason", metavar="CLASS", help="Of those, with this reason, such as record-invalid."),
    click.option("--items", is_flag=True, help="Products of the store."),
    click.option("--category", metavar="CODE", help="Of those, that were given this category."),
    click.option("--by-model", metavar="VERSION", help="Of those, that this version answered."),
    click.option("--needs-review", is_flag=True, help="Of those, of which the model was not sure."),
    click.option("--since", type=Moment(), help="What came since: ISO 8601, or 2h for two hours ago."),
    click.option("--until", type=Moment(), help="What came before this time."),
)


def source_options(command: Any) -> Any:
    """Add the argument and options that say what is replayed."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return click.argument("file", required=False, type=click.Path(path_type=Path))(command)


@asynccontextmanager
async def opened(
    settings: "Settings", asked: "Asked", bounds: dict[str, tuple[int, int]], problems: "RowProblems"
) -> "AsyncIterator[Source]":
    """The source, for as long as the context lasts.

    Args:
        settings: Say where broker and store are.
        asked: The options.
        bounds: What the source fixed when the replay began; empty for a new one: filled in.
        problems: Notes rows of a file that cannot be read.
    """
    kind = asked.kind
    if kind == "file":
        from itertools import islice

        from model.data.dataset import iter_products
        from streams.replay.file import FileEvents, FileSource

        file, noted = asked.file or Path(), iter([problems])  # once, though the file is read twice

        def rows() -> "Iterator[ProductRow]":
            return islice(iter_products(file, problems=next(noted, None)), asked.limit)

        yield FileSource(FileEvents.of(file), rows)
    elif kind == "topic":
        async with _topic(settings, asked, bounds) as source:
            yield source
    else:
        from scripts.stored import opened_store

        async with opened_store() as store:
            if kind == "items":
                from streams.replay.stored import ItemSource

                yield ItemSource(store, _query(asked))
            else:
                from infra.dead_letters import Choice, DeadLetters
                from streams.replay.stored import LetterSource

                choice = Choice(stage=asked.stage, reason=asked.reason, since=asked.since, until=asked.until)
                yield LetterSource(DeadLetters(store), choice, settings.dlq_max_attempts)


@asynccontextmanager
async def _topic(settings: "Settings", asked: "Asked", bounds: dict[str, tuple[int, int]]) -> "AsyncIterator[Source]":
    from infra.endpoints import find_kafka
    from infra.errors import TopicMissing
    from infra.kafka.clients import admin_client, reader_client
    from infra.kafka.topic_ids import topic_ids
    from streams.replay.topic import RecordChoice, TopicSource, spans_of

    bootstrap, topic = find_kafka(settings), asked.topic or ""
    async with admin_client(bootstrap) as admin:
        if topic not in await admin.list_topics():
            raise TopicMissing(f"There is no topic {topic}.", hint="`aisle topics list` shows those of aisle.")
        described = await admin.describe_topics([topic])
    there = sorted(one["partition"] for one in described[0]["partitions"])
    offsets = _offsets(asked.offsets)
    wanted = set(asked.partition) | set(offsets) or set(there)
    if unknown := wanted - set(there):
        raise click.UsageError(f"{topic} has the partitions {there[0]} to {there[-1]}, and no {min(unknown)}.")
    choice = RecordChoice(
        since=asked.since,
        until=asked.until,
        keys=frozenset(key.encode() for key in asked.key) or None,
        replayed=asked.replayed,
    )
    async with reader_client(bootstrap, from_start=True) as reader:
        ids = await topic_ids(reader.client, {topic})
        if not bounds:
            spans = await spans_of(reader, topic, sorted(wanted), choice, offsets)
            bounds.update({str(number): span for number, span in spans.items()})
        yield TopicSource(
            reader, topic, {int(number): span for number, span in bounds.items()}, choice, str(ids[topic])
        )


def _offsets(given: tuple[str, ...]) -> dict[int, tuple[int | None, int | None]]:
    found: dict[int, tuple[int | None, int | None]] = {}
    for one in given:
        if (parts := _OFFSETS.fullmatch(one)) is None:
            raise click.UsageError(f"--offsets {one}: write 3:1200-1300, 3:1200- or 3:-1300.")
        if int(parts[1]) in found:
            raise click.UsageError(f"--offsets {one}: of a partition once; replay the other part by itself.")
        found[int(parts[1])] = int(parts[2]) if parts[2] else None, int(parts[3]) if parts[3] else None
    return found


def _query(asked: "Asked") -> dict[str, Any]:
    times = {"$gte": asked.since, "$lt": asked.until}
    between = {bound: at for bound, at in times.items() if at is not None}
    named = {
        "product.published_at": between or None,
        "prediction.category.code": asked.category,
        "prediction.model.version": asked.by_model,
        "prediction.needs_review": asked.needs_review or None,
    }
    return {name: value for name, value in named.items() if value is not None}
