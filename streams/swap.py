"""Hot swap: another champion is loaded, warmed and checked beside the model in service, and then takes over from it.

Whatever goes wrong on the way, the model in service stays; it is tried again, unless something newer is decided.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from infra.health import Health
from infra.logging import get_logger
from infra.metrics.answers import MODEL_SWAPS, show_model
from infra.settings import Settings
from model.errors import BundleUnavailable
from model.fetch import fetch_bundle
from schemas.errors import AisleError
from schemas.model_event import ModelEvent
from schemas.prediction import ModelRef
from streams.champion import Champion
from streams.decided import DecidedContents
from streams.errors import ModelHung
from streams.inference import Inference
from streams.loading import Ready, make_ready

_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 300.0
_FETCH_S: Final = 1_800.0
_LOAD_S: Final = 600.0
_MODEL: Final = "model"

logger = get_logger(__name__)


class HotSwap:
    """Brings the model that was decided for into service, and keeps it there.

    Args:
        champion: Knows what was decided.
        settings: ``data_dir``, ``language`` and ``taxonomy`` are used.
        health: Told what is served, and what is waited for.
    """

    def __init__(self, champion: Champion, settings: Settings, health: Health) -> None:
        self._champion = champion
        self._settings = settings
        self._models_dir = settings.data_dir / "models"
        self._health = health
        self._refused: ModelEvent | None = None
        self._why = ""
        self._tries = 0
        self._hung = False

    async def first(self) -> Ready:
        """The model to begin with; waits for as long as there is none that can be served.

        Where the champion cannot be, the version before it is served until it can.
        """
        while (event := self._champion.now()) is None:
            hint = "Run `aisle train DATA`, or `aisle demo`."
            self._health.waits_for(_MODEL, f"There is no model in {self._models_dir}. {hint}")
            logger.warning("waiting for a champion", hint=hint)
            await self._champion.other_than(None)
        while (ready := await self._ready(event, None) or await self._former(event)) is None:
            await _free()
            self._health.waits_for(_MODEL, self._why)
            await self._champion.other_than(event, self._pause_s)
            event = self._champion.now() or event
        self._health.has(_MODEL)
        logger.info("model loaded", **ready.classifier.ref.model_dump())
        return ready

    @asynccontextmanager
    async def kept(self, inference: Inference, decided: DecidedContents, bootstrap: str) -> AsyncIterator[None]:
        """Serve what is decided, for as long as the context lasts."""
        following = asyncio.create_task(self._follow(inference, decided, bootstrap))
        self._health.add_liveness(_MODEL, lambda: _ended(following))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait({following})

    async def _follow(self, inference: Inference, decided: DecidedContents, bootstrap: str) -> None:
        show_model(inference.classifier.ref)
        while True:
            event, serving = self._champion.now(), inference.classifier.ref
            if event is None or event.model == serving:
                self._refused = None
                self._health.says(_MODEL, f"{serving.name} {serving.version}")
                if event is not None:
                    await self._champion.spread(event, bootstrap)
                await self._champion.other_than(event)
                continue
            if event == self._refused:
                await self._champion.other_than(event, self._pause_s)
                if event != self._champion.now():
                    continue
            await self._take_over(event, inference, decided)

    async def _take_over(self, event: ModelEvent, inference: Inference, decided: DecidedContents) -> None:
        """Load a model and put it in service between two batches, unless something newer is decided meanwhile."""
        started, before = monotonic(), inference.classifier.ref
        ready = await self._ready(event, before)
        if ready is not None and event == self._champion.now():
            await inference.swap(ready.classifier)
            decided.shelves = ready.shelves
            MODEL_SWAPS.labels(outcome="swapped").inc()
            show_model(event.model)
            logger.info(
                "model swapped",
                **event.model_dump(include={"sequence", "by", "why"}),
                version=event.model.version,
                before=before.version,
                took_s=round(monotonic() - started, 2),
            )
        del ready
        await _free()

    async def _ready(self, event: ModelEvent, serving: ModelRef | None) -> Ready | None:
        """The model of a decision; None, with the reason told, where it cannot be served."""
        try:
            bundle = await self._unless_newer(event, asyncio.to_thread(fetch_bundle, event, self._models_dir))
            loading = asyncio.ensure_future(asyncio.to_thread(make_ready, bundle, self._settings))
            if not (await asyncio.wait({loading}, timeout=_LOAD_S))[0]:
                raise ModelHung(f"It was not loaded within {_LOAD_S:g} s, and is not tried again.")
            return loading.result()
        except Exception as error:  # noqa: BLE001 - whatever it is, the model in service stays
            self._refuse(event, error, serving)
            return None

    async def _former(self, event: ModelEvent) -> Ready | None:
        """The version that was in force before, if it is here: all that serves where a champion cannot be."""
        bundle = self._models_dir / (event.previous or "")
        if event.previous is None or not bundle.is_dir():
            return None
        try:
            return await asyncio.to_thread(make_ready, bundle, self._settings)
        except Exception as error:  # noqa: BLE001 - as above
            logger.warning("the version before it cannot be served either", version=event.previous, why=_said(error))
            return None

    async def _unless_newer(self, event: ModelEvent, fetching: Awaitable[Path]) -> Path:
        """Where the bundle is; a store that gives no answer must not keep a newer decision waiting."""
        fetch = asyncio.ensure_future(fetching)
        newer = asyncio.create_task(self._champion.other_than(event, _FETCH_S))
        try:
            await asyncio.wait({fetch, newer}, return_when=asyncio.FIRST_COMPLETED)
            if fetch.done():
                return fetch.result()
        finally:
            newer.cancel()
            fetch.cancel()
        raise BundleUnavailable(f"{event.bundle_uri} did not give the bundle in time.")

    def _refuse(self, event: ModelEvent, error: Exception, serving: ModelRef | None) -> None:
        self._tries = self._tries + 1 if event == self._refused else 1
        self._refused = event
        version, stays = event.model.version, serving.version if serving else "nothing"
        self._hung = isinstance(error, ModelHung)
        self._why = f"The champion {version} cannot be served: {_said(error)}"
        MODEL_SWAPS.labels(outcome="failed").inc()
        if serving is not None:
            self._health.says(_MODEL, f"{serving.name} {stays} stays in service. {self._why}")
        logger.error(
            "model not swapped",
            version=version,
            serving=stays,
            why=_said(error),
            tries=self._tries,
            again_in_s=None if self._hung else self._pause_s,
            exc_info=None if isinstance(error, AisleError) else error,
        )

    @property
    def _pause_s(self) -> float:
        if self._hung:  # its thread cannot be stopped, and each try would take another, of which there are few
            return float("inf")
        return min(_FIRST_PAUSE_S * 2.0 ** min(self._tries - 1, 16), _LONGEST_PAUSE_S)


async def _free() -> None:
    """Give back a model that nobody uses any more, or what was loaded of one; their objects hold each other.

    Not from within the function that caught what a load raised: a traceback that was printed with its variables keeps
    those of that function until it returns, and so the model.
    """
    await asyncio.to_thread(gc.collect)


def _said(error: Exception) -> str:
    return error.message if isinstance(error, AisleError) else f"{type(error).__name__}: {error}"


def _ended(following: asyncio.Task[None]) -> str | None:
    if not following.done() or following.cancelled():
        return None
    return f"which model is in service is not followed: {following.exception()!r}"
