"""The model of ``aisle replay --model``, loaded beside everything else and behind it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from infra.forgotten import Forgotten
from infra.priority import stand_back
from infra.settings import Settings
from model.bundle import MANIFEST
from scripts.stored import opened_store
from streams.inference import Inference
from streams.loading import load
from streams.photos import PhotoReader
from streams.replay.pace import Pace
from streams.replay.send import Sent
from streams.replay.what_if import WhatIf


async def found(settings: Settings, version: str) -> str:
    """What a name of a model stands for now: a bundle's directory, as it was given, or a version of ours.

    Raises:
        ModelUnknown: No model, or more than one, is called so.
    """
    from model.found import bundle_of
    from workers.promotion import looked_up

    if (bundle := _directory(version)) is not None:
        return bundle
    now = await looked_up(settings)
    return bundle_of(settings.data_dir / "models", version, now.aliases).name


def _directory(name: str) -> str | None:
    bundle = Path(name).resolve()
    return str(bundle) if (bundle / MANIFEST).is_file() else None


@asynccontextmanager
async def classifying(
    settings: Settings, version: str, replay_id: str, pace: Pace, confirmed: Callable[[Sent], None], sent: Sent
) -> AsyncIterator[WhatIf]:
    """What classifies with a model, for as long as the context lasts.

    Args:
        settings: What is in force.
        version: As `found` gave it.
        replay_id: Names the answers.
        pace: How fast.
        confirmed: Told of what is done.
        sent: What was done before.

    Raises:
        BundleInvalid: It cannot be loaded.
    """
    stand_back()
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # read by TensorFlow when it is first asked
    classifier = await asyncio.to_thread(load, settings.data_dir / "models" / version, settings.language)
    inference = Inference(classifier, settings.infer_deadline_s)
    async with opened_store() as store:
        photos = PhotoReader.of(settings)
        yield WhatIf(store, Forgotten(store), replay_id, inference, photos, pace, confirmed, sent)
