"""The shadow worker between its challengers, without broker and model."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from infra.health import Health
from infra.model_events import Standing
from infra.settings import Settings
from model.errors import BundleInvalid
from schemas.errors import AisleError
from schemas.model_event import CHALLENGER, ModelEvent
from streams import shadow_worker
from streams.challenger import Challenger
from streams.errors import ModelFailed, ModelHung
from streams.trials import Trials
from tests.unit.test_model_events import event


class Runs:
    """A worker whose app runs until somebody leaves."""

    def __init__(self, tmp_path: Path) -> None:
        self.settings = Settings(data_dir=tmp_path)
        self.health = Health()
        self.running: asyncio.Future[AisleError] | None = None

    async def run(self, app: str) -> None:
        """Run an app, which is named by its model."""
        self.app = app
        self.running = asyncio.get_running_loop().create_future()
        try:
            raise await self.running
        finally:
            self.running = None

    async def leave(self, reason: AisleError) -> NoReturn:
        """End it for a reason."""
        if self.running is not None:
            self.running.set_result(reason)
        await asyncio.Event().wait()
        raise reason


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """A worker for which the bundle `bad` cannot be had."""

    def load(bundle: str, _language: str) -> Any:
        if bundle == "bad":
            raise BundleInvalid("A file of it is missing.")
        return SimpleNamespace(ref=event(bundle, 1).model)

    monkeypatch.setattr(shadow_worker, "fetch_bundle", lambda decision, _folder: decision.model.version)
    monkeypatch.setattr(shadow_worker, "load", load)
    monkeypatch.setattr(shadow_worker, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(
        shadow_worker._Shadow, "_new_app", lambda _self, inference: f"scores with {inference.classifier.ref.version}"
    )
    return Runs(tmp_path)


def _tried(version: str) -> ModelEvent:
    return event(version, 1, alias=CHALLENGER)


async def _until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_follows_the_challenger_and_survives_a_bad_one(worker: Runs) -> None:
    """None, one, a bad one, one that fails while it works, none again: it never ends, and says what it does."""
    challenger = Challenger()
    working = asyncio.create_task(shadow_worker._Shadow(worker, challenger, "").run())  # type: ignore[arg-type] # stands for a worker

    def waits(text: str) -> bool:
        return text in worker.health.waiting.get("challenger", "")

    def scores(version: str) -> bool:
        return worker.running is not None and worker.app == f"scores with {version}"

    await _until(lambda: waits("No model is in the shadow"))
    challenger.put(Standing(challenger=_tried("a")))
    await _until(lambda: scores("a"))
    challenger.put(Standing(challenger=_tried("bad")))
    await _until(lambda: waits("bad cannot be tried: A file of it is missing."))
    assert not scores("a")
    challenger.put(Standing(challenger=_tried("b")))
    await _until(lambda: scores("b"))
    assert worker.running is not None
    worker.running.set_result(ModelFailed("It answers nothing."))
    await _until(lambda: waits("b cannot be tried") or scores("b"))  # again after its pause
    await _until(lambda: scores("b"))
    challenger.put(Standing(champion=event("b", 2), challenger=_tried("b")))
    await _until(lambda: waits("No model is in the shadow"))
    assert not working.done()
    working.cancel()


async def test_a_model_that_hangs_its_process_is_left_alone_in_the_end(worker: Runs, tmp_path: Path) -> None:
    """Each process that it ends is counted, until there were five; one that stops or changes models is none of them."""
    challenger = Challenger()
    challenger.put(Standing(challenger=_tried("a")))

    def process() -> asyncio.Task[None]:
        shadow = shadow_worker._Shadow(worker, challenger, "")  # type: ignore[arg-type] # stands for a worker
        return asyncio.create_task(shadow.run())

    stopped = process()
    await _until(lambda: worker.running)
    stopped.cancel()
    await asyncio.wait({stopped})
    for _ in range(5):
        hung = process()
        await _until(lambda: worker.running)
        assert worker.running is not None
        worker.running.set_result(ModelHung("No answer within 60 s."))
        with pytest.raises(ModelHung):
            await hung
    given_up = process()
    await _until(lambda: "a cannot be tried" in worker.health.waiting.get("challenger", ""))
    assert "5 times. `aisle models shadow a` tries it again." in worker.health.waiting["challenger"]
    await asyncio.sleep(0.5)  # longer than any pause before
    assert worker.running is None
    challenger.put(Standing(challenger=_tried("b")))
    await _until(lambda: worker.running is not None and worker.app == "scores with b")
    given_up.cancel()
    await asyncio.wait({given_up})
    assert 0 == Trials(tmp_path / "shadow").deaths(_tried("a"))  # another decision on it begins anew


async def test_a_model_that_does_not_load_ends_its_process(
    worker: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread cannot be stopped, so the process must go, and the model is blamed for it."""
    goes_on = threading.Event()
    monkeypatch.setattr(shadow_worker, "load", lambda *_: goes_on.wait(10))
    monkeypatch.setattr(shadow_worker, "_LOAD_S", 0.05)
    challenger = Challenger()
    challenger.put(Standing(challenger=_tried("a")))
    with pytest.raises(ModelHung, match="was not loaded"):
        await shadow_worker._Shadow(worker, challenger, "").run()  # type: ignore[arg-type] # stands for a worker
    goes_on.set()
    assert 1 == Trials(tmp_path / "shadow").deaths(_tried("a"))


def test_a_model_is_not_blamed_for_processes_that_live(tmp_path: Path) -> None:
    """Of several shadow workers each sees that the others still have it in hand; what was sound is nobody's death."""
    trials, decision = Trials(tmp_path), _tried("a")

    def hang(*, once_sound: bool) -> None:
        with trials.begun(decision) as sound:
            assert 0 == Trials(tmp_path).deaths(decision)
            if once_sound:
                sound()
            raise ModelHung("No answer within 60 s.")

    with pytest.raises(ModelHung):
        hang(once_sound=True)
    assert 0 == trials.deaths(decision)
    with pytest.raises(ModelHung):
        hang(once_sound=False)
    assert 1 == trials.deaths(decision)
