"""The shadow worker: waits for a challenger, then scores a sample with it, for as long as it is the challenger.

It has a group of its own, begins at the end of the topic, and stands behind all others for the processors.
"""

import asyncio
import os
from typing import Any, Final

from infra.kafka.app import BatchApp, new_app
from infra.logging import get_logger
from infra.metrics.answers import show_model
from model.classifier import Classifier
from model.fetch import fetch_bundle
from schemas.errors import AisleError
from schemas.model_event import ModelEvent
from schemas.topics import MODELS_EVENTS, PRODUCTS_IN, SHADOW_OUT
from streams.challenger import Challenger
from streams.commit import run_stage
from streams.errors import ChallengerChanged, ChallengerUnusable, ModelFailed, ModelHung
from streams.inference import Inference
from streams.loading import load
from streams.photos import PhotoReader
from streams.shadow import ShadowRules, ShadowStage
from streams.trials import Trials
from streams.worker import Worker

GROUP: Final = "aisle-shadow"

_NICE: Final = 19
_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 300.0
_LOAD_S: Final = 600.0
_DEATHS: Final = 5
_SOUND_S: Final = 600.0
_MODEL: Final = "challenger"

logger = get_logger(__name__)


async def main(worker: Worker) -> None:
    """Run until stopped."""
    os.nice(_NICE)
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # read by TensorFlow when it is first asked
    challenger = Challenger()
    bootstrap = await worker.broker(PRODUCTS_IN, MODELS_EVENTS, SHADOW_OUT)
    follower = challenger.follower()
    async with follower.following(bootstrap, worker.health):
        await follower.known()
        await _Shadow(worker, challenger, bootstrap).run()


class _Shadow:
    """Loads each challenger in turn, and runs the agent with it."""

    def __init__(self, worker: Worker, challenger: Challenger, bootstrap: str) -> None:
        self._worker = worker
        self._challenger = challenger
        self._bootstrap = bootstrap
        self._inference: Inference | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._trials = Trials(worker.settings.data_dir / "shadow")

    async def run(self) -> None:
        """Run until the worker stops.

        Raises:
            ModelHung: The model gives no answer, and only the end of the process ends it.
        """
        while True:
            event = await self._wanted()
            if not await self._spares_us(event):
                continue
            try:
                with self._trials.begun(event) as sound:
                    inference = await self._loaded(event)
                    if event != self._challenger.now():
                        continue
                    later = asyncio.get_running_loop().call_later(_SOUND_S, sound)
                    try:
                        await self._score(event, inference)
                    finally:
                        later.cancel()
            except ChallengerChanged:
                continue
            except (ChallengerUnusable, ModelFailed) as error:
                await self._give_up(event, error)
            else:
                return

    async def _wanted(self) -> ModelEvent:
        while (event := self._challenger.now()) is None:
            self._worker.health.waits_for(_MODEL, "No model is in the shadow: `aisle models shadow VERSION` puts one.")
            await self._challenger.other_than(None)
        return event

    async def _spares_us(self, event: ModelEvent) -> bool:
        """Whether a model may be tried; one that has ended processes waits, longer each time, and then for good."""
        if not (deaths := self._trials.deaths(event)):
            return True
        pause_s = None if deaths >= _DEATHS else _FIRST_PAUSE_S * 2.0**deaths
        version, times = event.model.version, f"{deaths} time{'s' * (deaths > 1)}"
        why = f"It hung this process, or ended it, {times}."
        hint = f" `aisle models shadow {version}` tries it again." if pause_s is None else ""
        self._worker.health.waits_for(_MODEL, f"{version} cannot be tried: {why}{hint}")
        logger.error("model cannot be tried", version=version, why=why, again_in_s=pause_s)
        await self._challenger.other_than(event, pause_s)
        return event == self._challenger.now()

    async def _loaded(self, event: ModelEvent) -> Inference:
        """The challenger, ready to be asked.

        Raises:
            ChallengerUnusable: It cannot be loaded.
            ModelHung: Loading it does not end.
        """
        settings, health = self._worker.settings, self._worker.health
        health.waits_for(_MODEL, f"loading {event.model.version}")
        try:
            bundle = await asyncio.to_thread(fetch_bundle, event, settings.data_dir / "models")
            loading = asyncio.ensure_future(asyncio.to_thread(load, bundle, settings.language))
            if not (await asyncio.wait({loading}, timeout=_LOAD_S))[0]:
                raise ModelHung(f"The model {event.model.version} was not loaded within {_LOAD_S:g} s.")
            classifier: Classifier = loading.result()
        except ModelHung:
            raise
        except Exception as error:  # whatever is wrong with this one, the next may be sound
            why = str(error) if isinstance(error, AisleError) else f"{type(error).__name__}: {error}"
            raise ChallengerUnusable(why) from error
        if self._inference is None:
            self._inference = Inference(classifier, settings.infer_deadline_s)
        else:
            await self._inference.swap(classifier)
        health.has(_MODEL)
        health.says(_MODEL, f"{event.model.name} {event.model.version}")
        show_model(event.model)
        logger.info("model in the shadow", version=event.model.version, by=event.by, why=event.why)
        return self._inference

    async def _score(self, event: ModelEvent, inference: Inference) -> None:
        """Run the agent until the worker stops.

        Raises:
            ChallengerChanged: Another model is to be tried, or none.
            ModelFailed: The model answers nothing.
        """
        leaving = asyncio.create_task(self._leave_when_changed(event))
        try:
            await self._worker.run(self._new_app(inference))
        finally:
            leaving.cancel()

    def _new_app(self, inference: Inference) -> BatchApp:
        worker, settings = self._worker, self._worker.settings
        # What was there before says nothing new, and would be too old.
        app = new_app(GROUP, settings, self._bootstrap, consumer_auto_offset_reset="latest")
        rules = ShadowRules(settings.shadow_sample, settings.shadow_behind_s)
        photos = PhotoReader.of(settings)

        @app.agent(app.topic(PRODUCTS_IN), name="shadow")
        async def shadow(stream: Any) -> None:
            try:
                await run_stage(stream, ShadowStage(inference, app.batch_producer, rules, photos), worker.progress)
            except ModelFailed as error:
                await worker.leave(error)

        return app

    async def _leave_when_changed(self, event: ModelEvent) -> None:
        await self._challenger.other_than(event)
        await self._worker.leave(ChallengerChanged(f"{event.model.version} is the challenger no more."))

    async def _give_up(self, event: ModelEvent, error: AisleError) -> None:
        """Leave a model that cannot be used for a while, or until another is decided for."""
        version, pause_s = event.model.version, self._pause_s
        self._worker.health.waits_for(_MODEL, f"{version} cannot be tried: {error}")
        logger.error("model cannot be tried", version=version, why=str(error), again_in_s=pause_s)
        self._pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        await self._challenger.other_than(event, pause_s)
        if self._challenger.now() != event:
            self._pause_s = _FIRST_PAUSE_S
