"""aisle itself: its app, transport, stage and commit protocol, in the process that its workers are."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psutil
from aiokafka.structs import ConsumerRecord

from infra.kafka.app import new_app
from infra.logging import configure_logging
from infra.settings import Settings
from schemas.topics import PRODUCTS_IN
from streams.classify import Classified, ClassifyStage, Outbox
from streams.commit import Stage, run_stage
from streams.decode import id_of
from streams.inference import Inference
from streams.lifetime import run_worker
from streams.worker import Worker
from tests.bench.competitors.answers import Direct, load_classifier
from tests.bench.competitors.task import Stopwatch, Task, read_task, tell

_DEADLINE_S: Final = 60.0
_SAMPLE: Final = 500
_REPEATS: Final = 5


class Parts:
    """CPU seconds of the process by what they were spent on."""

    def __init__(self) -> None:
        self.decode = self.encode = 0.0
        self.sample: list[ConsumerRecord] = []

    def so_far(self) -> Mapping[str, float]:
        """Seconds by part; what the event loop does beside decoding and encoding is called produce."""
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        main = threading.main_thread().native_id
        seconds = {"fetch": 0.0, "model": 0.0, "produce": -self.decode - self.encode}
        for thread in psutil.Process().threads():
            name = names.get(thread.id)  # TensorFlow's own threads have none
            part = "produce" if thread.id == main else "model" if name is None or name.startswith("model") else "fetch"
            seconds[part] += thread.user_time + thread.system_time
        return seconds | {"decode": self.decode, "encode": self.encode}

    def split(self, report: dict[str, Any], stage: ClassifyStage) -> None:
        """Tell validating apart from decoding, which is here what gives a record its event id."""
        if not self.sample:
            return
        ids, both = (_cpu_s(work, self.sample) for work in (lambda some: [id_of(one) for one in some], stage.decode))
        parts = report["parts_us"]
        parts["validate"] = parts["decode"] * max(0.0, 1 - ids / both)
        parts["decode"] -= parts["validate"]


def _cpu_s(work: Callable[[list[ConsumerRecord]], object], records: list[ConsumerRecord]) -> float:
    began = time.thread_time()
    for _ in range(_REPEATS):
        work(records)
    return time.thread_time() - began


class Measured(ClassifyStage):
    """The stage of the classify worker, which notes the CPU time of its parts and counts what is delivered."""

    def __init__(self, inference: Inference, producer: Any, parts: Parts, done: "Done") -> None:
        super().__init__(inference, producer)
        self._parts = parts
        self._done = done

    def decode(self, records: Sequence[ConsumerRecord]) -> Any:
        """As the stage does."""
        began = time.thread_time()
        decoded = super().decode(records)
        self._parts.decode += time.thread_time() - began
        if len(self._parts.sample) < _SAMPLE:
            self._parts.sample += records
        return decoded

    def encode(self, results: Classified) -> Outbox:
        """As the stage does; and notes what it costs."""
        began = time.thread_time()
        outbox = super().encode(results)
        self._parts.encode += time.thread_time() - began
        return outbox

    async def deliver(self, results: Classified) -> None:
        """As the stage does; then the events count."""
        await super().deliver(results)
        self._done.add(len(results.received))


class Intake:
    """A stage that does nothing."""

    def __init__(self, done: "Done") -> None:
        self._done = done

    def decode(self, records: Sequence[ConsumerRecord]) -> int:
        """Count them."""
        return len(records)

    async def work(self, decoded: int) -> int:
        """Nothing."""
        return decoded

    async def deliver(self, results: int) -> None:
        """They count."""
        self._done.add(results)

    def condemn(self, records: Sequence[ConsumerRecord], _tries: int) -> int:
        """Count them."""
        return len(records)


class Done:
    """Counts batches and events, and says when it is enough."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self.batches = 0
        self.enough = asyncio.Event()

    def add(self, events: int) -> None:
        """A batch is delivered."""
        self.batches += 1
        if self._stopwatch.add(events):
            self.enough.set()


async def measure(worker: Worker, task: Task) -> None:
    """What the classify worker's main does, with a stage that is measured."""
    parts = Parts()
    stopwatch = Stopwatch(task, parts.so_far)
    done = Done(stopwatch)
    classifier = await asyncio.to_thread(load_classifier, task)
    inference = (Inference if task.mode == "classify" else Direct)(classifier, _DEADLINE_S)
    app = new_app(task.group, worker.settings, await worker.broker(PRODUCTS_IN))

    @app.agent(app.topic(PRODUCTS_IN), name="classify")
    async def classify(stream: Any) -> None:
        stage: Stage[Any, Any] = Measured(inference, app.batch_producer, parts, done)
        if task.mode == "intake":
            stage = Intake(done)
        await run_stage(stream, stage, worker.progress)

    running = asyncio.create_task(worker.run(app))
    enough = asyncio.create_task(done.enough.wait())
    await asyncio.wait({running, enough}, return_when=asyncio.FIRST_COMPLETED)
    if not enough.done():
        running.result()
    report = stopwatch.report()
    parts.split(report, ClassifyStage(inference, app.batch_producer))
    tell(report | {"batch_events": stopwatch.events / done.batches})


def main() -> None:
    """Measure once."""
    task = read_task()
    settings = Settings(kafka_bootstrap=task.bootstrap, log_level="error")
    configure_logging(settings, worker="bench")
    run_worker(settings, lambda worker: measure(worker, task))


if __name__ == "__main__":
    main()
