"""Where and with what everything is measured."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.settings import Settings
from tests.bench.broker import Broker


@dataclass(frozen=True)
class Site:
    """What all sections of a run have in common.

    Args:
        broker: The one broker.
        settings: What the workers run with, the model among it.
        python: Interpreter of the second environment; None where there is none.
        log: Takes what the workers say.
        step: Told, in a line, of each thing that was measured.
    """

    broker: Broker
    settings: Settings
    python: Path | None
    log: Path
    step: Callable[[str], None]

    @property
    def bundle(self) -> Path:
        """The model."""
        assert self.settings.model is not None
        return self.settings.model
