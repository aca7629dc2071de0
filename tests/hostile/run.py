"""Sends hostile requests at a stage, holds every answer to its promises, and looks at what is left."""

import asyncio
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Final

import httpx
import psutil

from schemas.http.account import Role
from tests.hostile import aftermath
from tests.hostile.caller import Outcome, send
from tests.hostile.kinds import bodies, forms, headers, methods, operators, paths, photos, slow, stored, tokens, wire
from tests.hostile.promises import broken
from tests.hostile.request import Kind, Request, Site
from tests.hostile.stage import Stage

LIGHT: Final[dict[str, Kind]] = {
    **tokens.KINDS,
    **operators.KINDS,
    **stored.KINDS,
    **paths.KINDS,
    **bodies.KINDS,
    **forms.KINDS,
    **photos.KINDS,
    **headers.KINDS,
    **methods.KINDS,
    **wire.KINDS,
}
HEAVY: Final[dict[str, Kind]] = {**bodies.HEAVY, **forms.HEAVY}
_HEAVY_SHARE: Final = 0.02
_SLOW_SHARE: Final = 0.01
_SLOWEST_FROM: Final = 5_000  # requests: a head may take 20 s, which a small run has not got
_SLOWEST: Final = 60
_AT_A_TIME: Final = 16
_SLOW_AT_A_TIME: Final = 60
_LOOK_S: Final = 0.02
_TOLD: Final = 5
_MB: Final = 1e6


@dataclass
class Memory:
    """Resident memory of the gateway, in MB, before, at most, and at the end; and at each tenth of the run."""

    before: float
    peak: float = 0.0
    after: float = 0.0
    on_the_way: list[float] = field(default_factory=list)


@dataclass
class Tally:
    """What became of all requests.

    Args:
        seed: Of the dice.
        statuses: By kind: how many answers of which class, and connections by their end where there was none.
        breaches: Broken promises by kind and words, with a request that shows it.
        wrong: What was stored that should not be.
    """

    seed: int
    count: int = 0
    seconds: float = 0.0
    statuses: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    exact: Counter[int] = field(default_factory=Counter)
    breaches: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=lambda: Memory(0.0))

    def add(self, kind: str, request: Request, outcome: Outcome, site: Site) -> None:
        """Count what became of one."""
        self.count += 1
        for answer in outcome.answers:
            self.statuses[kind][f"{answer.status // 100}xx"] += 1
            self.exact[answer.status] += 1
        if not outcome.answers:
            self.statuses[kind][outcome.end] += 1
        for said in broken(request, outcome, site):
            self.breaches[kind, said] += 1
            self.examples.setdefault((kind, said), b"".join(request.parts)[:3_000])


def plan(seed: int, count: int, site: Site) -> Iterator[tuple[str, Request]]:
    """So many requests, the slow ones first: of each light kind about as many as of any other."""
    dice = Random(seed)
    slowest = _SLOWEST if count >= _SLOWEST_FROM else 0
    several = round(count * _SLOW_SHARE)
    for number in range(count):
        if number < slowest:
            kinds = slow.SLOWEST
        elif number < slowest + several:
            kinds = slow.KINDS
        else:
            kinds = HEAVY if dice.random() < _HEAVY_SHARE else LIGHT
        name = dice.choice(list(kinds))
        yield name, kinds[name](dice, site)


async def attack(stage: Stage, seed: int, count: int, progress: Callable[[int], None]) -> Tally:
    """Send them, some at a time."""
    tally, accepted = Tally(seed), aftermath.Accepted()
    store = stage.store()
    before = await aftermath.look(store)
    store.close()
    began = monotonic()
    waiting = plan(seed, count, stage.site)
    slow_names = {*slow.KINDS, *slow.SLOWEST}
    room, slow_room = asyncio.Semaphore(_AT_A_TIME), asyncio.Semaphore(_SLOW_AT_A_TIME)
    with watched(stage.pid) as tally.memory:
        async with asyncio.TaskGroup() as group:

            async def one(kind: str, request: Request, held: asyncio.Semaphore) -> None:
                try:
                    outcome = await send(request, stage.site.port)
                    tally.add(kind, request, outcome, stage.site)
                    _note(accepted, request, outcome)
                finally:
                    held.release()
                progress(tally.count)
                if tally.count % max(1, count // 10) == 0:
                    tally.memory.on_the_way.append(_rss(stage.pid))

            for kind, request in waiting:
                held = slow_room if kind in slow_names else room
                await held.acquire()
                group.create_task(one(kind, request, held))
    tally.seconds = monotonic() - began
    tally.wrong = [*await _still_serves(stage), *await aftermath.wrong(stage, before, accepted), *_of_log(stage)]
    return tally


def _note(accepted: aftermath.Accepted, request: Request, outcome: Outcome) -> None:
    method, _, rest = request.parts[0].partition(b" ")
    accepted.counts["unheard"] += not outcome.answers
    for answer in outcome.answers[:1]:
        try:
            content = json.loads(answer.body)
        except ValueError:
            continue
        accepted.see(method, rest.partition(b" ")[0], answer.status, content)


async def _still_serves(stage: Stage) -> list[str]:
    """Whether the gateway is what it was: ready, and classifies."""
    bearer = {"Authorization": f"Bearer {stage.site.keys[Role.CUSTOMER]}"}
    async with httpx.AsyncClient(base_url=stage.url, headers=bearer, timeout=30) as client:
        ready = (await client.get("/health/ready")).status_code
        answer = await client.post("/api/v1/predictions", json={"title": "Lampe de chevet"})
    found = [] if ready == httpx.codes.OK else [f"the gateway is not ready: {ready}"]
    return found if answer.status_code == httpx.codes.OK else [*found, f"a product is not classified: {answer.text}"]


def _of_log(stage: Stage) -> list[str]:
    """What failed unexpectedly, whatever was answered then."""
    lines = stage.log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = [line for line in lines if '"request failed"' in line or "Traceback" in line or '"level": "error"' in line]
    return [f"the gateway's log has {len(failed)} failures, first {failed[0][:2_000]}"] if failed else []


@contextmanager
def watched(pid: int) -> Iterator[Memory]:
    """A process's memory while the context lasts."""
    memory, over = Memory(_rss(pid)), threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_S):
            memory.peak = max(memory.peak, _rss(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()
        memory.after = _rss(pid)


def _rss(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / _MB)
