"""Publishing verdicts to the topic ``feedback``."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import KafkaError

from infra.errors import BrokerUnavailable
from schemas import headers as names
from schemas.feedback import Feedback
from schemas.topics import FEEDBACK
from workers.gateway.road.submit import Road

_SEND_S: Final = 10.0


class Publisher:
    """Sends verdicts.

    Args:
        road: Has the producer, and knows whether a broker answers.
    """

    def __init__(self, road: Road) -> None:
        self._road = road

    @property
    def away(self) -> str | None:
        """Why nothing can be sent now; None while all is well."""
        return self._road.answers.away or ("starting" if self._road.producer is None else None)

    async def send(self, verdicts: Sequence[Feedback]) -> dict[str, str]:
        """Send verdicts, and wait until the broker has them.

        Returns:
            Why, for each that it has not, by feedback_id.

        Raises:
            BrokerUnavailable: There is no producer yet.
        """
        tasks = {asyncio.create_task(self._send(one)): str(one.feedback_id) for one in verdicts}
        try:
            await asyncio.wait(tasks, timeout=_SEND_S)
        finally:
            for task in tasks:
                task.cancel()
        return {key: why for task, key in tasks.items() if (why := _why(task)) is not None}

    async def _send(self, verdict: Feedback) -> None:
        if self._road.producer is None:
            raise BrokerUnavailable("No verdict can be taken now: starting.")
        key = (verdict.product_id or verdict.event_id or "").encode()
        value = verdict.model_dump_json(exclude_none=True).encode()
        headers = [(names.CONTENT_TYPE, b"application/json"), *self._road.context()]
        await self._road.producer.send_and_wait(FEEDBACK, value, key=key, headers=headers)


def _why(task: "asyncio.Task[None]") -> str | None:
    if not task.done() or task.cancelled():
        return "no answer in time"
    error = task.exception()
    if error is None:
        return None
    if not isinstance(error, (KafkaError, TimeoutError, BrokerUnavailable)):
        raise error
    return type(error).__name__
