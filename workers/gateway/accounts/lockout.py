"""Wrong passwords are answered with pauses, never with a door that stays shut, and never at the cost of the owner.

Each place that passwords come from has a count of its own, so that nobody can lock out somebody who is elsewhere.
Places from where nobody has signed in to an account have one more in common, so that many of them help a guesser little
(OWASP, "Slow Down Online Guessing Attacks with Device Cookies"; for growing waits NIST SP 800-63B, 3.2.2).
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from workers.gateway.errors import AccountLocked

FREE_TRIES: Final = 5
"""Of one place."""
FREE_OF_STRANGERS: Final = 20
"""Of all places together from where nobody has signed in to the account."""
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(days=1)

_MOST_NAMES: Final = 10_000
_MOST_SOURCES: Final = 50
_MOST_KNOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Source:
    """Where a password comes from, for one account; ids tell nothing about it.

    Args:
        id: Of the browser, if the account's owner has signed in there; else of the address.
        address: Of the address; empty where it does not matter.
        trusted: Whether it is such a browser.
    """

    id: str
    address: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Tries:
    """The wrong passwords since the last right one.

    Args:
        failures: How many.
        failed_at: When the last was given.
        locked_until: Until when no other is looked at.
    """

    failures: int = 0
    failed_at: datetime | None = None
    locked_until: datetime | None = None

    def check(self, now: datetime) -> None:
        """Return if a password may be tried.

        Raises:
            AccountLocked: Not yet.
        """
        if self.locked_until is None or now >= self.locked_until:
            return
        left = (self.locked_until - now).total_seconds()
        raise AccountLocked(
            "There were too many wrong passwords for this account.",
            hint=f"Try again in {left:.0f} s. Whoever is signed in stays so.",
            retry_after_s=left,
        )

    def failed(self, now: datetime, free: int = FREE_TRIES) -> "Tries":
        """The same with one more."""
        failures = 1 if self.is_forgotten(now) else self.failures + 1
        return Tries(failures, now, now + pause_after(failures, free) if failures >= free else None)

    def is_forgotten(self, now: datetime) -> bool:
        """Whether they count no more."""
        return self.failed_at is None or now - self.failed_at > FORGOTTEN_AFTER


@dataclass(frozen=True, slots=True)
class Record:
    """The wrong passwords for an account.

    Args:
        sources: Of each place, by its id; the latest 50 places.
        strangers: Of all those from where nobody has signed in.
        known: The ids of the latest ten addresses from where somebody has.
        version: Grows with each change.
    """

    sources: Mapping[str, Tries] = field(default_factory=dict)
    strangers: Tries = Tries()
    known: tuple[str, ...] = ()
    version: int = 0

    def knows(self, source: Source) -> bool:
        """Whether somebody has signed in from there."""
        return source.trusted or source.address in self.known

    def check(self, source: Source, now: datetime) -> None:
        """Return if a password from there may be tried.

        Raises:
            AccountLocked: Not yet.
        """
        self.sources.get(source.id, Tries()).check(now)
        if not self.knows(source):
            self.strangers.check(now)

    def failed(self, source: Source, now: datetime) -> "Record":
        """The same with one more from there."""
        own = self.sources.get(source.id, Tries()).failed(now)
        others = [(id_, one) for id_, one in self.sources.items() if id_ != source.id and not one.is_forgotten(now)]
        sources = dict([*others, (source.id, own)][-_MOST_SOURCES:])
        strangers = self.strangers if self.knows(source) else self.strangers.failed(now, FREE_OF_STRANGERS)
        return Record(sources, strangers, self.known, self.version + 1)

    def succeeded(self, source: Source) -> "Record":
        """The same after a right password from there, which was counted before anyone knew that it is right."""
        sources = {id_: one for id_, one in self.sources.items() if id_ != source.id}
        strangers = self.strangers
        if not self.knows(source):
            strangers = replace(strangers, failures=max(0, strangers.failures - 1), locked_until=None)
        known = self.known
        if source.address:
            known = (*(one for one in known if one != source.address), source.address)[-_MOST_KNOWN:]
        return Record(sources, strangers, known, self.version + 1)

    def locks(self, source: Source) -> str | None:
        """Whom the latest try, which came from there, has begun to keep out; None: nobody anew."""
        if not self.knows(source) and self.strangers.failures == FREE_OF_STRANGERS:
            return "new places"
        return "one place" if self.sources[source.id].failures == FREE_TRIES else None


def pause_after(failures: int, free: int = FREE_TRIES) -> timedelta:
    """How long nothing is tried after so many failures: 30 s at first, then twice as long each time, at most 15 min."""
    if failures < free:
        return timedelta()
    doublings = min(failures - free, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


class NobodysTries:
    """The same for names without an account, which should not be told apart; in memory, for 10,000 of them."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, Record] = OrderedDict()

    def of(self, name: str) -> Record:
        """The tries of a name."""
        return self._tries.get(name, Record())

    def failed(self, name: str, source: Source, now: datetime) -> None:
        """Count one more."""
        self._tries[name] = self.of(name).failed(source, now)
        self._tries.move_to_end(name)
        if len(self._tries) > _MOST_NAMES:
            self._tries.popitem(last=False)
