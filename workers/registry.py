"""The registry of these settings, brought up to date with what was trained and decided. That it is away stops nothing.

MLflow takes three seconds to import, and six more to make its tables. So it is told at the end of a training, which
takes longer, and not by `aisle models promote` and `rollback`, whose decision workers carry out by then: whoever
looks at MLflow's own page by `aisle models ui` gets it up to date. On a server others look without us, and so there
promotions are told at once.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from infra.settings import Settings
from model.bundle import MANIFEST
from model.registry import sync
from model.registry.opened import Place
from model.registry.sync import Synced
from schemas.errors import AisleError
from schemas.model_event import CHALLENGER, CHAMPION, ModelEvent
from workers.promotion import InForce, look_up

Gates = Mapping[str, Mapping[str, object]]
"""What the gate said, by the bundle's version."""

_LATER: Final = "`aisle models sync` will do it"


def place_of(settings: Settings) -> Place:
    """Where the registry of these settings is."""
    return Place(settings.data_dir / "mlflow", settings.mlflow_uri)


def bring_up_to_date(settings: Settings, now: InForce | None = None, gates: Gates | None = None) -> Synced:
    """Record the bundles that are not in the registry yet, and point its aliases to what is decided.

    Args:
        settings: ``data_dir`` and ``mlflow_uri`` are used, and the broker's address where ``now`` is not given.
        now: The decision in force, if it is known.
        gates: What the gate said, by the bundle's version.

    Raises:
        RegistryUnavailable: What was done by then stays, and the next call does the rest.
        OSError: The data directory cannot be written.
    """
    now = now or look_up(settings)
    bundles = [path.parent for path in (settings.data_dir / "models").glob(f"[!.]*/{MANIFEST}")]
    decided: dict[str, ModelEvent | None] = {CHAMPION: now.event}
    if now.untold is None:
        decided[CHALLENGER] = now.challenger
    return sync.sync(place_of(settings), bundles, decided, gates)


def recorded(settings: Settings, now: InForce | None = None, gates: Gates | None = None) -> str | None:
    """As `bring_up_to_date`, but why it could not be done is returned as a line, and nothing is raised."""
    if not settings.mlflow:
        return None
    try:
        skipped = bring_up_to_date(settings, now, gates).skipped
    except (AisleError, OSError) as error:
        return f"not recorded in MLflow, {_LATER}: {error}"
    return "; ".join(f"{version} is not recorded in MLflow: {why}" for version, why in skipped.items()) or None


def serving_recorded(settings: Settings, version: str, metrics: Mapping[str, float], day: date) -> str | None:
    """Record a day's figures of a model in service; why it could not be done as a line, else None.

    Args:
        settings: ``data_dir``, ``mlflow`` and ``mlflow_uri`` are used.
        version: The bundle's.
        metrics: By name.
        day: In UTC.
    """
    if not settings.mlflow:
        return None
    try:
        sync.record_serving(place_of(settings), version, metrics, day)
    except (AisleError, OSError) as error:
        return f"the figures of {day} are not recorded in MLflow: {error}"
    return None
