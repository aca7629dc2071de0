"""How many products an account may have classified in a minute, at this gateway."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Final

from workers.gateway.errors import TooMany

_MINUTE_S: Final = 60.0
_MOST_ACCOUNTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account has left.

    Args:
        most: Calls a minute.
        left: Of these, now.
        whole_in_s: Seconds until all of them are there again.
    """

    most: int
    left: int
    whole_in_s: float

    @property
    def headers(self) -> dict[str, str]:
        """The same for the caller (draft-ietf-httpapi-ratelimit-headers-07)."""
        return {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(ceil(self.whole_in_s)),
        }


class Quota:
    """Counts calls by account, in this process.

    The generic cell rate algorithm (ITU-T I.371): one number for each account says when its minute's worth is whole
    again. Own code, as the storage of `limits` starts a thread every ten milliseconds while there are calls.

    Args:
        per_minute: Most calls a minute of one account, all of which may come at once; 0: any number.
        clock: Seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> Allowance | None:
        """Count a call of an account; None where there is no limit.

        Raises:
            TooMany: It was one too many.
        """
        if not self._most:
            return None
        now, each = self._clock(), _MINUTE_S / self._most
        whole_at = max(self._whole_at.get(name, now), now) + each
        if (wait_s := whole_at - now - _MINUTE_S) > each / 1_000:  # sums of parts are never quite the whole
            raise TooMany(
                f"You may have {self._most:,} products classified a minute.",
                hint="Spread them, or send them as a file.",
                retry_after_s=wait_s,
            )
        self._whole_at[name] = whole_at
        self._whole_at.move_to_end(name)
        if len(self._whole_at) > _MOST_ACCOUNTS:
            self._whole_at.popitem(last=False)
        in_use_s = whole_at - now
        return Allowance(self._most, max(0, int((_MINUTE_S - in_use_s) / each + 0.001)), in_use_s)
