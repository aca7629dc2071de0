"""Feedback to poison a training with, and honest feedback beside it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from infra.store import Document
from workers.retrain.verdict_rows import Log

_AT: Final = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Product:
    """A product that was published: what it says, what it is, and what the champion says it is."""

    title: str
    description: str
    code: str
    predicted: str


Word = tuple[Product, str, str]
"""A product, who says something of it, and which category it is to them."""


def log_of(words: Sequence[Word]) -> Log:
    """Verdicts as the store has them: each a correction, or a validation where it is what was predicted."""
    documents: list[Document] = []
    items: dict[str, Document] = {}
    for number, (product, by, code) in enumerate(words):
        event = f"e{number}"
        said = {"verdict": "validated"} if code == product.predicted else {"verdict": "corrected", "code": code}
        told = {"_id": f"f{number:06}", "event_id": event, "by": by, "at": _AT + timedelta(seconds=number)}
        documents.append(told | said | {"content": f"{product.title}\0{product.description}\0{number}"})
        part = {"title": product.title, "description": product.description or None}
        items[event] = {"product": part, "prediction": {"category": {"code": product.predicted}}}
    return Log(documents, items)


def honest(stream: Sequence[Product], count: int, chance: Random) -> Iterator[Word]:
    """Three people correct what is wrong, and validate some of the rest."""
    wrong = [one for one in stream if one.code != one.predicted]
    right = [one for one in stream if one.code == one.predicted]
    chosen = chance.sample(wrong, min(len(wrong), 2 * count // 3))
    chosen += chance.sample(right, count - len(chosen))
    for product in chance.sample(chosen, len(chosen)):
        yield product, chance.choice(("ann", "bob", "cyd")), product.code


def nothing(_stream: Sequence[Product], _count: int, _chance: Random) -> Iterator[Word]:
    """No poison."""
    return iter(())


def random_labels(stream: Sequence[Product], count: int, chance: Random) -> Iterator[Word]:
    """One author labels at random: 30 % of all feedback."""
    codes = sorted({one.code for one in stream})
    for product in chance.sample(list(stream), count * 3 // 7):
        yield product, "eve", chance.choice([code for code in codes if code != product.code])


def partly_random(stream: Sequence[Product], count: int, chance: Random) -> Iterator[Word]:
    """One author, of whose words 30 % are random and the others are honest."""
    codes = sorted({one.code for one in stream})
    for number, product in enumerate(chance.sample(list(stream), count)):
        wrong = chance.choice([code for code in codes if code != product.code])
        yield product, "eve", wrong if number % 10 < 3 else product.code


def flood(stream: Sequence[Product], count: int, chance: Random) -> Iterator[Word]:
    """The same wrong correction again and again, with small changes to the title."""
    product = chance.choice([one for one in stream if one.code == one.predicted])
    code = chance.choice(sorted({one.code for one in stream} - {product.code}))
    for number in range(count):
        changed = product.title.upper() if number % 2 else product.title + "!" * (number % 5)
        yield Product(changed, product.description, product.code, product.predicted), f"bot{number % 3}", code


def swapped(authors: int) -> Callable[[Sequence[Product], int, Random], Iterator[Word]]:
    """The two largest categories, each called the other, by so many people."""

    def words(stream: Sequence[Product], count: int, chance: Random) -> Iterator[Word]:
        codes = [one.code for one in stream]
        pair = sorted(set(codes), key=codes.count)[-2:]
        own = [one for one in stream if one.code in pair and one.code == one.predicted]
        for number, product in enumerate(chance.sample(own, min(count, len(own)))):
            yield product, f"eve{number % authors}", pair[1 - pair.index(product.code)]

    return words


POISONS: Final = {
    "honest feedback alone": nothing,
    "30 % of the feedback random, by one author": random_labels,
    "an author of whose labels 30 % are random": partly_random,
    "a flood of one wrong correction": flood,
    "two categories swapped, by one author": swapped(1),
    "two categories swapped, by thirty": swapped(30),
}
