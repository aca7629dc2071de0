"""The model in service, as the monitor needs it."""

from dataclasses import dataclass
from pathlib import Path

from infra.settings import Settings
from model.bundle import Manifest, read_manifest
from model.errors import NoChampion
from model.fetch import fetch_bundle
from model.reference import Profile, read_reference
from schemas.model_event import ModelEvent
from workers.promotion import look_up


@dataclass(frozen=True)
class Champion:
    """What is served, and what was usual when it was made; None of a bundle that was made before they kept it."""

    manifest: Manifest
    reference: Profile | None

    @property
    def version(self) -> str:
        """Its version."""
        return self.manifest.version


def champion_of(settings: Settings) -> Champion:
    """The bundle that is set, else the champion's, copied here if it is elsewhere; blocks.

    Raises:
        NoChampion: No model is in service.
        BundleInvalid: It is none, or cannot be read.
        BundleUnavailable: It is not to be had.
    """
    bundle = settings.model or _decided(settings)
    return Champion(read_manifest(bundle), read_reference(bundle))


def decided_of(settings: Settings) -> ModelEvent | None:
    """The decision that workers follow; None where there is none, a setting names the model, or no broker says it."""
    if settings.model is not None:
        return None
    now = look_up(settings)
    return now.event if now.untold is None else None


def _decided(settings: Settings) -> Path:
    models_dir = settings.data_dir / "models"
    if (event := look_up(settings).event) is None:
        raise NoChampion(f"There is no model in {models_dir}.", hint="Run `aisle train DATA`, or `aisle demo`.")
    return fetch_bundle(event, models_dir)
