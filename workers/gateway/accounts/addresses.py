"""How often one address may try to get in."""

from ipaddress import IPv6Address, ip_address
from time import time
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from workers.gateway.errors import TooMany

_NETWORK_BITS: Final = 64  # of IPv6: who has one address has all of these


class Addresses:
    """Counts tries by address, in this process.

    Args:
        per_minute: Most of one address in any minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> None:
        """Count one more.

        Raises:
            TooMany: It was one too many.
        """
        whose = network_of(address)
        if self._limiter.hit(self._limit, whose):
            return
        wait_s = max(1.0, self._limiter.get_window_stats(self._limit, whose).reset_time - time())
        raise TooMany(
            "Too many tries came from this address.", hint=f"Try again in {wait_s:.0f} s.", retry_after_s=wait_s
        )


def network_of(address: str) -> str:
    """An address, or the network of IPv6 that its owner has; ``unknown`` where it is none."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, IPv6Address):
        return known.ipv4_mapped.compressed if known.ipv4_mapped else str(int(known) >> (128 - _NETWORK_BITS))
    return known.compressed
