"""The API's own document, without a gateway that runs."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from infra.health import Health
from infra.images import ImageStore
from infra.photos import Photos
from infra.settings import Settings
from infra.store import Store
from workers.gateway.access import Gatekeeper
from workers.gateway.app import create_app
from workers.gateway.parts import Parts
from workers.gateway.road.answers import Answers
from workers.gateway.road.submit import Road

_NOWHERE: Final = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"


def openapi() -> dict[str, Any]:
    """What ``/api/v1/openapi.json`` of a gateway says. Nothing is asked for it: neither broker nor store."""
    with TemporaryDirectory(prefix="aisle-document-") as folder:
        settings = Settings(data_dir=Path(folder))
        store, images = Store(_NOWHERE, settings.mongodb_database), ImageStore(Path(folder) / "images")
        road = Road(Answers(settings.gateway_pending))
        parts = Parts(settings, store, road, images, Photos([], images), Health())
        try:
            # Nobody calls it, so that nobody has to be known.
            return create_app(parts, cast(Gatekeeper, None)).openapi()
        finally:
            store.close()
