"""Which model is in service and which is tried, as a gateway knows it; and how a person decides anew."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Final

from infra.endpoints import find_kafka
from infra.logging import get_logger
from infra.model_events import put_in_shadow
from infra.settings import Settings
from model.bundle import MANIFEST, Manifest, read_manifest
from model.champion import beside, local_place, promotion, trial
from model.errors import PromotionRefused
from model.rollback import former
from schemas.model_event import ModelEvent
from workers.gateway.operation.shared import Shared
from workers.monitor.aside import in_a_process
from workers.promotion import Following, InForce, looked_up, put_in_force
from workers.registry import recorded

_KEPT_S: Final = 2.0
_LOOK_S: Final = 4.0

logger = get_logger(__name__)


class Decisions:
    """The decisions in force, read anew every two seconds at most.

    Args:
        settings: ``data_dir``, ``model`` and the broker's address are used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._now = Shared(self._look, _KEPT_S)
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def models_dir(self) -> Path:
        """Where bundles are."""
        return self._settings.data_dir / "models"

    async def now(self) -> InForce:
        """What is decided, as the topic has it, else the pointer file."""
        return await self._now.get()

    async def in_service(self) -> Path | None:
        """The bundle that answers, if it is on this machine."""
        if self._settings.model is not None:
            return self._settings.model
        event = (await self.now()).event
        if event is None:
            return None
        return beside(event, self.models_dir) or local_place(event.bundle_uri)

    async def promote(self, bundle: Path, *, by: str, why: str, expected: str | None) -> InForce:
        """Put a bundle in service.

        Raises:
            PromotionRefused: It is the champion, another one is than was expected, or somebody else was quicker.
            BundleInvalid: A file of it is missing or changed.
        """

        def following(before: ModelEvent | None, _made: object) -> ModelEvent:
            if before is not None and before.model.version == bundle.name:
                raise PromotionRefused(f"{bundle.name} is the champion already, by {before.by}: {before.why}.")
            return promotion(bundle, before, by=by, why=why, expected=expected)

        return await self._decide(following)

    async def rollback(self, *, by: str, why: str | None) -> InForce:
        """Go back to the version before; see `model.rollback.former`."""
        return await self._decide(lambda before, made: former(self.models_dir, before, made, by=by, why=why))

    async def shadow(self, bundle: Path | None, *, by: str, why: str) -> ModelEvent | None:
        """Try a bundle beside the champion, or none; the decision that stands then.

        Raises:
            PromotionRefused: It is the champion.
            BrokerUnavailable: No broker answers.
        """
        event = None
        if bundle is not None:
            champion = (await looked_up(self._settings, _LOOK_S)).event
            event = await asyncio.to_thread(trial, bundle, champion, by=by, why=why)
        standing = await put_in_shadow(find_kafka(self._settings), event)
        self._now.forget()
        return standing.tried

    async def _decide(self, following: Following) -> InForce:
        now = await asyncio.to_thread(put_in_force, self._settings, following)  # files are hashed
        self._now.forget()
        if self._settings.mlflow_uri is not None:  # others look at a server
            task = asyncio.create_task(self._record(now))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        return now

    async def _look(self) -> InForce:
        return await looked_up(self._settings, _LOOK_S)

    async def _record(self, now: InForce) -> None:
        """Tell MLflow, in a process that may import it."""
        why = await in_a_process(recorded, self._settings, now)
        if why is not None:
            logger.warning("decision not in MLflow", why=why)


def manifest_of(bundle: Path) -> Manifest:
    """The manifest of a bundle, read once as long as it stays the same.

    Raises:
        BundleInvalid: There is none, or none that can be used.
    """
    try:
        status = (bundle / MANIFEST).stat()
    except OSError:
        return read_manifest(bundle)  # says what is wrong
    return _manifest(bundle, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _manifest(bundle: Path, _stamp: int) -> Manifest:
    return read_manifest(bundle)
