"""All figures together; what is away leaves its part out."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Final, TypeVar

from infra.endpoints import find_kafka
from infra.lease import utc_now
from infra.runs import Runs
from infra.settings import Settings
from infra.store import Store
from schemas.errors import AisleError
from schemas.http.figures import Figures, Flow, Verdicts
from workers.gateway.figures.answers import newest_answers, waiting
from workers.gateway.figures.flow import FlowFigures
from workers.gateway.figures.verdicts import changes_of, judged
from workers.gateway.operation.decisions import Decisions

_WITHIN_S: Final = 15.0
_RUNS: Final = 50

T = TypeVar("T")


class Dashboard:
    """Makes the figures.

    Args:
        settings: The broker's address is used.
        store: Where items and runs are.
        decisions: Know when models came into service.
    """

    def __init__(self, settings: Settings, store: Store, decisions: Decisions) -> None:
        self._settings = settings
        self._store = store
        self._decisions = decisions
        self._flow = FlowFigures()

    async def figures(self) -> Figures:
        """All figures now."""
        now, away = utc_now(), dict[str, str]()

        async def part(name: str, work: Awaitable[T]) -> T | None:
            try:
                async with asyncio.timeout(_WITHIN_S):
                    return await work
            except AisleError as error:
                away[name] = error.message
            except TimeoutError:
                away[name] = f"It took longer than {_WITHIN_S:g} s."
            return None

        flow, answers, verdicts, waits = await asyncio.gather(
            part("flow", self._flow_now(now)),
            part("answers", newest_answers(self._store, now)),
            part("verdicts", self._verdicts(now)),
            part("waiting", waiting(self._store)),
        )
        return Figures(at=now, flow=flow, answers=answers, verdicts=verdicts, waiting=waits, away=away)

    async def _flow_now(self, now: datetime) -> Flow:
        return await self._flow.read(find_kafka(self._settings), now)

    async def _verdicts(self, now: datetime) -> Verdicts:
        promoted = await Runs(self._store).latest(_RUNS, ("promoted",))
        return await judged(self._store, now, changes_of((await self._decisions.now()).made, promoted))
