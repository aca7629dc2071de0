"""Hot swap with models that need no TensorFlow: which one answers, what a failure changes, what is freed."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from aiokafka.structs import TopicPartition
from structlog.testing import capture_logs

from infra.errors import DeliveryFailed
from infra.health import Health
from infra.kafka import follower
from infra.metrics import REGISTRY
from infra.model_events import Standing
from infra.settings import Settings
from model.bundle import read_manifest
from model.champion import keep, read_champion
from model.classifier import Classification, Photo
from model.errors import GoldenMismatch
from schemas.model_event import ModelEvent
from schemas.prediction import Category, ModelRef
from schemas.product import Product
from schemas.topics import MODELS_EVENTS
from streams import champion as champion_module
from streams import swap as swap_module
from streams.champion import Champion
from streams.classify import Classified, ClassifyStage
from streams.decided import DecidedContents
from streams.decode import Received
from streams.inference import Inference
from streams.loading import Ready
from streams.swap import HotSwap
from tests.bundles import decided, make_bundle
from tests.records import record


class Model:
    """A stand-in whose parts hold each other, as TensorFlow's do."""

    reads_photos = False

    def __init__(self, version: str) -> None:
        self.ref = ModelRef(name="aisle", version=version)
        self.itself = self
        self.goes_on: threading.Event | None = None
        self.asked = threading.Event()

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:  # noqa: ARG002
        """Answers with its version, once it may."""
        self.asked.set()
        if self.goes_on is not None:
            self.goes_on.wait(10)
        shelf = Category(code=self.ref.version, label="x")
        return [Classification(shelf, 1.0, [(shelf, 1.0)], False, "text", ("title",), ())] * len(products)


class Loader:
    """Makes stand-ins in place of TensorFlow, and fails as told."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.breaks: dict[str, Exception] = {}
        self.gates: dict[str, threading.Event] = {}
        self.alive: dict[str, weakref.ref[Model]] = {}

    def __call__(self, bundle: Path, _settings: Settings) -> Ready:
        """Load a bundle."""
        version = bundle.name
        self.loaded.append(version)
        if (gate := self.gates.get(version)) is not None:
            gate.wait(10)
        model: Any = Model(version)
        self.alive[version] = weakref.ref(model)
        if (error := self.breaks.get(version)) is not None:
            raise type(error)(*error.args)  # another each time: it holds the frame that raised it, and so the model
        return Ready(model, {entry.code: entry.category("en") for entry in read_manifest(bundle).categories})

    @property
    def living(self) -> list[str]:
        """The models that have not been freed, or would not be by the next look for cycles."""
        gc.collect()
        return [version for version, alive in self.alive.items() if alive() is not None]


class Rig:
    """A worker's parts around the swap, without a broker."""

    def __init__(self, folder: Path) -> None:
        self.models_dir = folder / "models"
        self.health = Health()
        self.champion = Champion(self.models_dir)
        self.swap = HotSwap(self.champion, Settings(data_dir=folder), self.health)
        self.contents = DecidedContents(1_000, {})
        self.inference: Inference
        self.last: ModelEvent | None = None
        self.told: list[ModelEvent] = []

    def decide(self, bundle: Path, **fields: Any) -> ModelEvent:
        """The topic says that this is the champion now."""
        self.last = decided(bundle, self.last, **fields)
        self.champion.put(Standing(self.last))
        return self.last

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve the champion, and follow."""
        ready = await self.swap.first()
        self.inference = Inference(ready.classifier, deadline_s=10)
        self.contents.shelves = ready.shelves
        del ready
        async with self.swap.kept(self.inference, self.contents, "h:1"):
            yield

    @property
    def serves(self) -> str:
        """The version that answers."""
        return self.inference.classifier.ref.version

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for it."""
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.002)

    def detail(self) -> str:
        """What the health address says of the model."""
        return self.health._details.get("model", "")


@pytest.fixture(autouse=True)
def only_what_is_made_here() -> Iterator[None]:
    """No look for cycles goes through what other tests imported: with TensorFlow each takes a third of a second."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Loader:
    """In place of TensorFlow; pauses are short."""
    loader = Loader()
    monkeypatch.setattr(swap_module, "make_ready", loader)
    monkeypatch.setattr(swap_module, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(swap_module, "_LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr(champion_module, "_LOOK_EVERY_S", 0.01)
    return loader


@pytest.fixture
def rig(loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:  # noqa: ARG001 - it is in place
    """Parts that know of two bundles."""
    rig = Rig(tmp_path)

    async def tell(_bootstrap: str, event: ModelEvent) -> None:
        rig.told.append(event)
        rig.champion.put(Standing(event))

    monkeypatch.setattr(champion_module, "tell", tell)
    for version, codes in (("v1", ("soups", "teas")), ("v2", ("jams", "teas"))):
        make_bundle(rig.models_dir, version, codes=codes)
    return rig


def swaps(outcome: str) -> float:
    """How often a swap has ended so."""
    return REGISTRY.get_sample_value("aisle_model_swaps_total", {"outcome": outcome}) or 0.0


def shown() -> str | None:
    """The version that the metrics name."""
    (family,) = [one for one in REGISTRY.collect() if one.name == "aisle_model_info"]
    (sample,) = family.samples
    return sample.labels["version"]


async def test_a_new_champion_takes_over_and_the_old_one_is_freed(rig: Rig, loader: Loader) -> None:
    """With its categories, in metrics, health and log; nothing holds the former model any more."""
    rig.decide(rig.models_dir / "v1")
    before = swaps("swapped")
    async with rig.running():
        assert ("v1", {"soups", "teas"}) == (rig.serves, set(rig.contents.shelves))
        await rig.until(lambda: rig.detail() == "aisle v1")
        with capture_logs() as lines:
            rig.decide(rig.models_dir / "v2")
            await rig.until(lambda: rig.detail() == "aisle v2")
        assert {"jams", "teas"} == set(rig.contents.shelves)
        assert ("v2", "v2", before + 1) == (rig.serves, shown(), swaps("swapped"))
        (line,) = [one for one in lines if one["event"] == "model swapped"]
        assert ("v1", "v2", 2, "ada") == (line["before"], line["version"], line["sequence"], line["by"])
        assert None is loader.alive["v1"]()
        await rig.until(lambda: rig.last == read_champion(rig.models_dir))  # the pointer file follows
    assert {} == rig.health.stuck


async def test_many_swaps_leave_one_model(rig: Rig, loader: Loader) -> None:
    """Forth and back: each former one is gone before the next is loaded."""
    rig.decide(rig.models_dir / "v1")
    async with rig.running():
        for number in range(6):
            version = ("v2", "v1")[number % 2]
            rig.decide(rig.models_dir / version)
            await rig.until(lambda: rig.detail() == f"aisle {version}")  # noqa: B023 - awaited here
            assert [version] == loader.living


async def test_a_batch_in_hand_is_answered_and_named_by_the_model_that_began_it(rig: Rig, loader: Loader) -> None:
    """The next model waits for it; whatever comes after is the next one's."""
    rig.decide(rig.models_dir / "v1")
    async with rig.running():
        stage = ClassifyStage(rig.inference, None, None, rig.contents)  # type: ignore[arg-type] # no broker here
        first: Any = rig.inference.classifier
        first.goes_on = threading.Event()
        first.asked.clear()  # it was asked for its golden outputs
        batch = [Received(record(b""), "id", Product(product_id="p", title="tea"))]
        in_hand: asyncio.Task[Classified] = asyncio.create_task(stage.work((batch, [])))
        await rig.until(first.asked.is_set)
        rig.decide(rig.models_dir / "v2")
        await rig.until(lambda: "v2" in loader.loaded)
        await rig.until(lambda: rig.inference._in_hand._waiters)  # its turn comes before that of what follows
        following = asyncio.create_task(stage.work((batch, [])))
        await asyncio.sleep(0.02)
        assert "v1" == rig.serves
        first.goes_on.set()
        del first

        for batch_of, done in (("v1", await in_hand), ("v2", await following)):
            (answer,) = done.answers
            assert isinstance(answer, Classification)
            assert (batch_of, batch_of) == (done.model.version, answer.category.code)


async def _corrupt(rig: Rig, _loader: Loader) -> None:
    (rig.models_dir / "v2" / "manifest.json").write_text("{}")


async def _gone(rig: Rig, _loader: Loader) -> None:
    (rig.models_dir / "v2").rename(rig.models_dir / "elsewhere")


async def _away(rig: Rig, loader: Loader) -> None:
    await _gone(rig, loader)
    assert rig.last is not None
    rig.last = rig.last.model_copy(update={"bundle_uri": "memory://nothing/v2"})
    rig.champion.put(Standing(rig.last))


async def _golden(_rig: Rig, loader: Loader) -> None:
    loader.breaks["v2"] = GoldenMismatch("Stage text does not answer as it did when it was trained.")


async def _bug(_rig: Rig, loader: Loader) -> None:
    loader.breaks["v2"] = ValueError("a library's own")


@pytest.mark.parametrize(
    ("breaks", "why"),
    [
        (_corrupt, "is not that of the champion v2"),
        (_gone, "is neither in"),
        (_away, "cannot be copied"),
        (_golden, "does not answer as it did"),
        (_bug, "ValueError: a library's own"),
    ],
)
async def test_what_cannot_be_served_changes_nothing_and_is_tried_again(
    rig: Rig, loader: Loader, breaks: Callable[[Rig, Loader], Awaitable[None]], why: str
) -> None:
    """The old model serves on, ready and alive; log, metrics and health have the reason; once mended, it takes over."""
    rig.decide(rig.models_dir / "v1")
    async with rig.running():
        failed = swaps("failed")
        event = decided(rig.models_dir / "v2", rig.last)
        rig.last = event
        await breaks(rig, loader)
        with capture_logs() as lines:
            rig.champion.put(Standing(rig.last))
            await rig.until(lambda: swaps("failed") >= failed + 3)
        told = [line for line in lines if line["event"] == "model not swapped"]
        assert {isinstance(line.pop("exc_info"), ValueError) for line in told} == {why.startswith("ValueError")}
        assert [1, 2, 3] == [line["tries"] for line in told][:3]
        assert [0.01, 0.02, 0.02] == [line["again_in_s"] for line in told][:3], "pauses grow up to a limit"
        assert all("v1" == line["serving"] and why in line["why"] and "error" == line["log_level"] for line in told)
        assert "aisle v1 stays in service. The champion v2 cannot be served: " in rig.detail()
        assert why in rig.detail()
        assert ("v1", "v1", {}) == (rig.serves, shown(), rig.health.stuck)
        assert "model" not in rig.health.waiting
        await rig.until(lambda: ["v1"] == loader.living)

        loader.breaks.clear()
        if (rig.models_dir / "elsewhere").is_dir():
            (rig.models_dir / "elsewhere").rename(rig.models_dir / "v2")
        else:
            (rig.models_dir / "v2" / "text" / "weights").unlink()
            (rig.models_dir / "v2" / "text").rmdir()
            (rig.models_dir / "v2" / "manifest.json").unlink()
            (rig.models_dir / "v2").rmdir()
            make_bundle(rig.models_dir, "v2", codes=("jams", "teas"))
        await rig.until(lambda: rig.detail() == "aisle v2")
        assert "v2" == rig.serves


async def test_a_newer_decision_takes_the_place_of_a_retry(rig: Rig, loader: Loader) -> None:
    """However long the pause would be; what was decided in between is never loaded again."""
    swap_module._FIRST_PAUSE_S = swap_module._LONGEST_PAUSE_S = 1_000.0  # type: ignore[misc] # undone by the fixture
    rig.decide(rig.models_dir / "v1")
    loader.breaks["v2"] = GoldenMismatch("no")
    make_bundle(rig.models_dir, "v3")
    async with rig.running():
        rig.decide(rig.models_dir / "v2")
        await rig.until(lambda: "stays in service" in rig.detail())
        await asyncio.sleep(0.4)  # in which it would be tried again, were it not for the pause
        rig.decide(rig.models_dir / "v3")
        await rig.until(lambda: rig.detail() == "aisle v3")
        rig.decide(rig.models_dir / "v2")
        await rig.until(lambda: "stays in service" in rig.detail())
        rig.decide(rig.models_dir / "v3", sequence=9)
        await rig.until(lambda: rig.detail() == "aisle v3")
    assert ["v1", "v2", "v3", "v2"] == loader.loaded, "a rollback to what is in service loads nothing"


async def test_what_is_overtaken_while_it_is_loaded_never_serves(rig: Rig, loader: Loader) -> None:
    """Decided, then rolled back within the seconds that loading takes; what was loaded is freed."""
    rig.decide(rig.models_dir / "v1")
    gate = loader.gates["v2"] = threading.Event()
    async with rig.running():
        rig.decide(rig.models_dir / "v2")
        await rig.until(lambda: "v2" in loader.loaded)
        rig.decide(rig.models_dir / "v1")
        before = swaps("swapped")
        gate.set()
        await rig.until(lambda: rig.last == read_champion(rig.models_dir) and loader.living == ["v1"])
        assert (before, "v1") == (swaps("swapped"), rig.serves)


async def test_a_worker_waits_for_a_first_champion(rig: Rig, loader: Loader) -> None:
    """It says how to get one; a broken one without a former one is waited for too, with the reason."""
    loader.breaks["v1"] = GoldenMismatch("broken")
    first = asyncio.create_task(rig.swap.first())
    await rig.until(lambda: "aisle train" in rig.health.waiting.get("model", ""))
    rig.decide(rig.models_dir / "v1")
    await rig.until(lambda: "broken" in rig.health.waiting["model"])
    loader.breaks.clear()
    assert "v1" == (await asyncio.wait_for(first, 10)).classifier.ref.version
    assert "model" not in rig.health.waiting


async def test_a_start_with_a_broken_champion_serves_the_version_before_it(rig: Rig, loader: Loader) -> None:
    """As the workers do that were there; and it goes on trying."""
    rig.decide(rig.models_dir / "v1")
    rig.decide(rig.models_dir / "v2")
    loader.breaks["v2"] = GoldenMismatch("broken")
    async with rig.running():
        assert "v1" == rig.serves
        await rig.until(lambda: loader.loaded.count("v2") >= 3)
        assert "stays in service" in rig.detail()
        loader.breaks.clear()
        await rig.until(lambda: rig.detail() == "aisle v2")


async def test_a_worker_that_was_away_serves_what_was_decided_last(
    rig: Rig, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads all decisions before it takes any; what its own pointer file kept from before is overtaken."""
    first = decided(rig.models_dir / "v1")
    second = decided(rig.models_dir / "v2", first)
    keep(rig.models_dir, first)
    partition, opens = TopicPartition(MODELS_EVENTS, 0), asyncio.Event()
    reader = Mock(end_offsets=AsyncMock(return_value={partition: 2}), position=AsyncMock(return_value=1))

    @asynccontextmanager
    async def client(*_arguments: Any, **_options: Any) -> AsyncIterator[Any]:
        yield reader

    async def batches(_reader: Any) -> AsyncIterator[list[Any]]:
        yield [record(first.model_dump_json().encode(), topic=MODELS_EVENTS, key=first.key.encode())]
        await opens.wait()
        reader.position.return_value = 2
        yield [record(second.model_dump_json().encode(), topic=MODELS_EVENTS, key=second.key.encode(), offset=1)]
        await asyncio.Event().wait()

    monkeypatch.setattr(follower, "reader_client", client)
    monkeypatch.setattr(follower, "batches", batches)
    reading = rig.champion.follower()
    async with reading.following("h:1", rig.health):
        known = asyncio.create_task(reading.known())
        await asyncio.sleep(0.02)
        assert (False, "reading which model is in service") == (known.done(), rig.health.waiting["models.events"])
        opens.set()
        await asyncio.wait_for(known, 10)
        assert (second, ["start"]) == (rig.champion.now(), list(rig.health.waiting))
        async with rig.running():
            await rig.until(lambda: read_champion(rig.models_dir) == second)
            assert (["v2"], []) == (loader.loaded, rig.told)


async def test_what_was_decided_without_a_broker_is_served_and_told(rig: Rig) -> None:
    """The pointer file counts where it follows on the topic; the topic is told once it is served."""
    rig.decide(rig.models_dir / "v1")
    async with rig.running():
        offline = decided(rig.models_dir / "v2", rig.last)
        keep(rig.models_dir, offline)
        await rig.until(lambda: rig.told)
        assert ("v2", [offline]) == (rig.serves, rig.told)


async def test_a_decision_of_the_topic_goes_before_one_made_without_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two with the same number the topic's counts, and the pointer file is brought to it."""
    rig.decide(rig.models_dir / "v1")
    keep(rig.models_dir, decided(rig.models_dir / "v2", sequence=1))
    async with rig.running():
        await rig.until(lambda: read_champion(rig.models_dir) == rig.last)
        assert ("v1", []) == (rig.serves, rig.told)

        async def refused(_bootstrap: str, _event: ModelEvent) -> None:
            raise DeliveryFailed("not allowed")

        monkeypatch.setattr(champion_module, "tell", refused)
        with capture_logs() as lines:
            keep(rig.models_dir, decided(rig.models_dir / "v2", rig.last))
            await rig.until(lambda: "v2" == rig.serves and lines and "pointer file" in lines[-1]["event"])
        assert "not allowed" == lines[-1]["why"]


async def test_a_pointer_file_that_cannot_be_read_is_said_once(rig: Rig) -> None:
    """The topic is enough."""
    event = rig.decide(rig.models_dir / "v1")
    (rig.models_dir / "champion.json").write_text("{")
    with capture_logs() as lines:
        assert [event, event] == [rig.champion.now(), rig.champion.now()]
    assert ["the pointer file cannot be read"] == [line["event"] for line in lines]


async def test_a_worker_that_cannot_follow_any_more_is_not_alive(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would serve an old model for as long as it runs."""
    rig.decide(rig.models_dir / "v1")

    async def broken(*_: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(rig.champion, "spread", broken)
    async with rig.running():
        await rig.until(lambda: rig.health.stuck)
        assert "a bug" in rig.health.stuck["model"]


async def test_a_load_that_hangs_keeps_no_newer_decision_waiting(
    rig: Rig, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up, and tried no more: each try would take another thread for good."""
    monkeypatch.setattr(swap_module, "_LOAD_S", 0.05)
    make_bundle(rig.models_dir, "v3", codes=("jams", "teas"))
    loader.gates["v2"] = threading.Event()
    rig.decide(rig.models_dir / "v1")
    async with rig.running():
        before = swaps("failed")
        rig.decide(rig.models_dir / "v2")
        await rig.until(lambda: "v2 cannot be served: It was not loaded within" in rig.detail())
        await asyncio.sleep(0.2)  # ten of the longest pauses
        assert (["v1", "v2"], "v1", before + 1) == (loader.loaded, rig.serves, swaps("failed"))
        rig.decide(rig.models_dir / "v3")
        await rig.until(lambda: rig.serves == "v3")
    loader.gates["v2"].set()
