"""Makes a schedule's faults happen, and writes down when each really did."""

import asyncio
import json
import signal
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import Final

from tests.chaos.events import HANGS, KILLS, RAISES
from tests.chaos.publisher import Publisher
from tests.chaos.rig import Rig
from tests.chaos.schedule import STORE, Fault

_RAISING: Final = 20
_SLOW_BY_S: Final = 0.25


@dataclass
class Happened:
    """A fault as it happened: times in seconds since 1970."""

    fault: Fault
    began: float
    ended: float
    """When what was hurt worked again: its successor was ready, or the pause was over."""
    pid: int | None = None


class Faults:
    """Runs the faults of a schedule, each on time unless its target is still down from the one before.

    Args:
        rig: What they happen to.
        publisher: Publishes the events that are faults.
        file: Takes the schedule and what came of it, as JSON.
    """

    def __init__(self, rig: Rig, publisher: Publisher, file: Path) -> None:
        self.happened: list[Happened] = []
        self._rig = rig
        self._publisher = publisher
        self._file = file
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, schedule: Sequence[Fault], seed: int) -> None:
        """Let all of them happen; returns when the last is over.

        Raises:
            NotBack: What was hurt did not come back.
        """
        self._write(schedule, seed)
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for number, fault in enumerate(schedule):
                tasks.create_task(self._at(began + fault.at_s, fault, f"fault-{number}"))
        self._write(schedule, seed)

    async def _at(self, when: float, fault: Fault, name: str) -> None:
        await asyncio.sleep(max(0.0, when - asyncio.get_running_loop().time()))
        async with self._locks[fault.target or fault.kind]:
            await self._happen(fault, name)

    async def _happen(self, fault: Fault, name: str) -> None:
        rig, target = self._rig, fault.target
        by_itself = target == STORE  # the harness may run it: then it is there whenever it is not hurt
        if target and not by_itself:
            await rig.until_ready(target)
            await rig.until_settled(target, fault.settled_s)
        note = Happened(fault, time(), time())
        self.happened.append(note)
        match fault.kind:
            case "kill" if by_itself:
                await rig.kill_store()
            case "kill":
                note.pid = await rig.signal(target, signal.SIGKILL)
                await rig.until_ready(target)
            case "terminate":
                note.pid = await rig.signal(target, signal.SIGTERM)
                await rig.until_ready(target)
            case "pause":
                note.pid = await rig.signal(target, signal.SIGSTOP)
                try:
                    await asyncio.sleep(fault.lasts_s)
                finally:
                    await rig.signal(target, signal.SIGCONT)
            case "slow_store":
                rig.link.delay_s = _SLOW_BY_S
                await asyncio.sleep(fault.lasts_s)
                rig.link.delay_s = 0.0
            case "model_broken":
                rig.broken.touch()
                await asyncio.sleep(fault.lasts_s)
                rig.broken.unlink()
            case _:
                await self._publish(fault, name)
        note.ended = time()

    async def _publish(self, fault: Fault, name: str) -> None:
        events, publish = self._publisher.events, self._publisher.publish
        match fault.kind:
            case "poison_storm":
                await publish(events.storm(name))
            case "raise":
                await publish(events.titled(f"{name}/{number}", RAISES) for number in range(_RAISING))
            case "event_kills":
                await publish([events.titled(name, KILLS)])
            case "event_hangs":
                await publish([events.titled(name, HANGS)])
            case _:
                raise AssertionError(fault.kind)

    def _write(self, schedule: Sequence[Fault], seed: int) -> None:
        happened = [asdict(one) for one in self.happened]
        content = {"seed": seed, "schedule": [asdict(one) for one in schedule], "happened": happened}
        self._file.write_text(json.dumps(content, indent=2))
