"""The root of every error aisle raises on purpose."""

from typing import ClassVar


class AisleError(Exception):
    """A problem with a name, a message that says what to do, and word on whether a retry can help.

    Every package derives its own errors from this class, so one ``except AisleError`` at an edge (the
    command line, an agent, an HTTP handler) knows how to present any of them.

    Args:
        message: What went wrong, with the name, figure or place that matters.
        hint: What to do about it, as an instruction.
    """

    code: ClassVar[str] = "error"
    """Stable identifier in kebab case: for logs, dead letters and documentation."""

    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without anyone changing anything."""

    exit_status: ClassVar[int] = 1
    """What the command line exits with: 1 for a failure, 2 for wrong usage."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()
