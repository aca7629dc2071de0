"""What the store said a moment ago: used for seconds, and for longer while the store is away."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, Generic, TypeVar

from infra.errors import StoreUnavailable

T = TypeVar("T")

FRESH_S: Final = 5.0
"""So long an answer is used without asking again: what an admin changes is true everywhere after that."""

_STALE_S: Final = 86_400.0  # an outage may last a night; who was let in before is let in until it is over
_AWAY_S: Final = 5.0  # after a failure nobody waits for the store who has something else to go by
_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 5.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Otherwise(Generic[T]):
    """What to go by where the store is away and has never been asked.

    Args:
        value: That.
        age_s: How long ago the store is known to have said so.
    """

    value: T
    age_s: float


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """What is known.

    Args:
        value: That.
        age_s: How long ago the store was asked: nobody can say that it is still true.
    """

    value: T
    age_s: float


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T
    asked_at: float


class Recent(Generic[T]):
    """The latest answers of the store, at most 10,000 of them; one question at a time for each key.

    None is remembered only where there was another answer before.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[str, _Answer[T]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Answer[T]]] = {}
        self._changed_at = self._away_until = float("-inf")

    @property
    def away(self) -> bool:
        """Whether the store did not answer a moment ago."""
        return self._clock() < self._away_until

    async def get(self, key: str, ask: Callable[[], Awaitable[T]], otherwise: Otherwise[T] | None = None) -> Known[T]:
        """The answer to a question, and how old it is.

        Args:
            key: Names the question.
            ask: Asks the store.
            otherwise: What to go by where it is away and has not answered this within a day, or longer ago than this.

        Raises:
            StoreUnavailable: It is away, or too slow, and there is nothing else to go by.
        """
        known = self._answers.get(key)
        age_s = float("inf") if known is None else self._clock() - known.asked_at
        if known is not None and age_s < FRESH_S and known.asked_at > self._changed_at:
            return Known(known.value, age_s)
        fallback: Known[T] | None = None
        if known is not None and age_s < _STALE_S:
            fallback = Known(known.value, age_s)
        if otherwise is not None and (fallback is None or otherwise.age_s < age_s):
            fallback = Known(otherwise.value, otherwise.age_s)
        if fallback is not None and self.away:
            return fallback
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S if fallback is None else _WAIT_S):
                answer = await asyncio.shield(self._ask(key, ask))
        except (StoreUnavailable, TimeoutError) as error:
            self._away_until = self._clock() + _AWAY_S
            if fallback is not None:
                return fallback
            if isinstance(error, StoreUnavailable):
                raise
            raise StoreUnavailable(f"The store did not answer within {_LONGEST_WAIT_S:g} s.") from error
        self._away_until = float("-inf")
        return Known(answer.value, self._clock() - answer.asked_at)

    def change(self) -> None:
        """Ask anew about everything: this process has changed something."""
        self._changed_at = self._clock()
        self._asking.clear()

    def _ask(self, key: str, ask: Callable[[], Awaitable[T]]) -> asyncio.Task[_Answer[T]]:
        """The question under way; it goes on where nobody waits for it any more."""
        if key in self._asking:
            return self._asking[key]
        asked_at = self._clock()

        def keep(task: asyncio.Task[_Answer[T]]) -> None:
            if self._asking.get(key) is task:
                del self._asking[key]
            if task.cancelled() or task.exception() is not None:
                return
            answer, before = task.result(), self._answers.get(key)
            if before is None and answer.value is None:
                return  # made-up keys must not crowd out those in use
            if before is None or before.asked_at <= asked_at:
                self._answers[key] = answer
                self._answers.move_to_end(key)
            while len(self._answers) > _MOST:
                self._answers.popitem(last=False)

        async def asking() -> _Answer[T]:
            return _Answer(await ask(), asked_at)

        task = self._asking[key] = asyncio.create_task(asking())
        task.add_done_callback(keep)
        return task
