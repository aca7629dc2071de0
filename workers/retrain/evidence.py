"""How much speaks against somebody's word."""

from dataclasses import dataclass

from model.chance import chance_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """So many verdicts of so many speak against whoever gave them."""

    against: int
    of: int
    allowed: float
    what: str

    @property
    def chance(self) -> float:
        """The probability of so many or more, from somebody who is wrong as often as is allowed."""
        return chance_of(self.against, self.of, self.allowed)

    def __str__(self) -> str:
        return (
            f"{self.against} of {self.of} {self.what}; {self.allowed:.0%} are allowed, "
            f"and by chance so many come once in {1 / max(self.chance, 1e-12):,.0f} times"
        )
