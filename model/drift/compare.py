"""Which columns have drifted between a reference and current rows."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from model.drift.bins import Binned, bins_for, cut_numbers, p_value, pool_categories, psi
from model.reference import Profile

MODERATE: Final = 0.1
DRIFTED: Final = 0.2
"""PSI from which on a column counts as drifted. Credit scoring calls a PSI below 0.1 no change and one above 0.25 a
great one (Siddiqi 2006, "Credit Risk Scorecards"); monitoring usually asks at 0.2."""

SIGNIFICANT: Final = 0.01
"""Greatest p-value of a drifted column: with few rows a PSI is great by chance."""

MIN_ROWS: Final = 50
"""A column with fewer values than this, before or now, is not judged."""

_NUMBER_BINS: Final = 10
_CATEGORY_BINS: Final = 30

Level = Literal["stable", "moderate", "drifted"]


class ColumnDrift(BaseModel):
    """How far a column's shares are from the reference's."""

    model_config = ConfigDict(frozen=True)

    name: str
    reference: int
    current: int
    psi: float
    p_value: float
    level: Level
    binned: Binned


class Drift(BaseModel):
    """All columns that could be judged; ``skipped`` says of the others why not."""

    model_config = ConfigDict(frozen=True)

    reference: int
    current: int
    columns: list[ColumnDrift]
    skipped: dict[str, str]

    @property
    def drifted(self) -> list[str]:
        """The names of the columns that have drifted."""
        return [column.name for column in self.columns if column.level == "drifted"]

    @property
    def share(self) -> float:
        """Part of the judged columns that have drifted; 0 where none could be judged."""
        return len(self.drifted) / len(self.columns) if self.columns else 0.0


def compare(reference: Profile, current: Profile, drifted: float = DRIFTED) -> Drift:
    """Hold current rows against a reference, column by column.

    Args:
        reference: What is usual.
        current: What is now.
        drifted: PSI from which on a column has drifted, if the difference is beyond chance.
    """
    columns, skipped = [], {}
    for name in [*reference.numbers, *reference.categories]:
        before, now = _count(reference, name), _count(current, name)
        if min(before, now) < MIN_ROWS:
            skipped[name] = f"{before:,} values before and {now:,} now; {MIN_ROWS} of each are needed"
            continue
        columns.append(_judge(name, _binned(name, reference, current), drifted))
    return Drift(reference=reference.rows, current=current.rows, columns=columns, skipped=skipped)


def _binned(name: str, reference: Profile, current: Profile) -> Binned:
    before, now = _count(reference, name), _count(current, name)
    if name in reference.numbers:
        return cut_numbers(reference.numbers[name], current.numbers[name], bins_for(before, now, _NUMBER_BINS))
    bins = bins_for(before, now, _CATEGORY_BINS)
    return pool_categories(reference.categories[name], current.categories[name], bins)


def _judge(name: str, binned: Binned, drifted: float) -> ColumnDrift:
    index, chance = psi(binned), p_value(binned)
    level: Level = "stable" if index < min(MODERATE, drifted) or chance > SIGNIFICANT else "moderate"
    if index >= drifted and chance <= SIGNIFICANT:
        level = "drifted"
    before, now = (sum(pair[side] for pair in binned.values()) for side in (0, 1))
    return ColumnDrift(name=name, reference=before, current=now, psi=index, p_value=chance, level=level, binned=binned)


def _count(counted: Profile, name: str) -> int:
    if name in counted.numbers:
        return sum(count for _, count in counted.numbers[name])
    return sum(counted.categories.get(name, {}).values())
