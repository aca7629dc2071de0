"""Who does something to an account, for the audit log."""

from dataclasses import dataclass

from workers.gateway.access import Principal


@dataclass(frozen=True, slots=True)
class Doer:
    """Who it is, and by which request.

    Args:
        who: The caller; the name alone of somebody without an account, such as who runs a command.
        request_id: Of the request; None for a command.
    """

    who: Principal | str
    request_id: str | None = None

    @property
    def name(self) -> str:
        """The name alone."""
        return self.who if isinstance(self.who, str) else self.who.name
