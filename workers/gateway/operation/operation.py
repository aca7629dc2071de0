"""What the routes of an operator share in one process."""

from functools import partial
from typing import Final

from infra.settings import Settings
from infra.store import Store
from workers.gateway.figures.dashboard import Dashboard
from workers.gateway.operation.dead_letters import counted
from workers.gateway.operation.decisions import Decisions
from workers.gateway.operation.live import Live
from workers.gateway.operation.shared import Shared
from workers.gateway.road.answers import Answers

_COUNTS_S: Final = 5.0
_FIGURES_S: Final = 5.0


class Operation:
    """Made once for each gateway.

    Args:
        settings: What is in force.
        store: Where letters and figures are.
        answers: Follows what is answered.
    """

    def __init__(self, settings: Settings, store: Store, answers: Answers) -> None:
        self.decisions = Decisions(settings)
        self.live = Live(answers)
        self.figures = Shared(Dashboard(settings, store, self.decisions).figures, _FIGURES_S)
        self.letter_counts = Shared(partial(counted, store), _COUNTS_S)
