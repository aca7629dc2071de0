"""How large a batch may be, and how long it is worth holding back for more events.

A batch of n events costs a·n + b seconds: b is what one costs whatever it holds. BentoML's adaptive batching
has the idea of fitting both from recent calls; the rules below are ours.

- Without a backlog a batch is whatever has come while the one before was worked on: nothing is waited for.
- Holding n events back for one more delays each of them by the time between two arrivals, and saves one b. So it
  pays while n is less than b times the arrival rate: never under light load.
- Under a backlog batches grow until b is a fiftieth of their cost, or until one takes half the latency target.
"""

from dataclasses import dataclass
from math import exp
from time import monotonic
from typing import Final

from infra.metrics import stream as metrics

_FADES: Final = 0.98  # of a call's weight in the fit per further call: about the last 50 calls count
_FIRST_GUESS: Final = ((1, 0.003), (256, 0.016))  # (events, seconds); forgotten within a few dozen calls
_OUTLIER: Final = 5.0  # a call that took this many times the forecast was held up by something else: count no more
_TINY_S: Final = 1e-6
_SHARE_OF_FIXED: Final = 0.02  # of a batch's cost: beyond this a larger batch is not worth its latency
_LEAST_WORTH: Final = 256  # so that a fit without a b does not end in single events
_RATE_MEMORY_S: Final = 0.5


class Cost:
    """The cost a·n + b of a batch of n events, a least-squares fit whose older calls fade.

    Weighted by (a / forecast)², as calls vary by a share of what they take: else the large ones drown b.
    """

    def __init__(self) -> None:
        self.per_event_s = 0.0
        self.per_batch_s = 0.0
        self._weight = self._n = self._t = self._nn = self._nt = 0.0
        for events, seconds in _FIRST_GUESS:
            self._add(events, seconds, seconds)
        self._fit()

    def forecast(self, events: int) -> float:
        """Seconds that a batch will take."""
        return self.per_event_s * events + self.per_batch_s

    def observe(self, events: int, seconds: float) -> None:
        """Learn from a call."""
        forecast = self.forecast(events)
        self._add(events, min(seconds, _OUTLIER * forecast), forecast)
        self._fit()

    def _add(self, events: int, seconds: float, forecast: float) -> None:
        weight = (max(self.per_event_s, _TINY_S) / max(forecast, _TINY_S)) ** 2
        self._weight = self._weight * _FADES + weight
        self._n = self._n * _FADES + weight * events
        self._t = self._t * _FADES + weight * seconds
        self._nn = self._nn * _FADES + weight * events * events
        self._nt = self._nt * _FADES + weight * events * seconds

    def _fit(self) -> None:
        n, t = self._n / self._weight, self._t / self._weight
        spread = self._nn / self._weight - n * n
        if spread > (0.05 * n) ** 2:
            slope = (self._nt / self._weight - n * t) / spread
            self.per_batch_s = max(0.0, t - max(0.0, slope) * n)
        # Calls of one size cannot tell a from b: then b stays, as far as the calls allow it.
        self.per_batch_s = min(self.per_batch_s, t)
        self.per_event_s = (t - self.per_batch_s) / n


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How batches are cut, and how many may be under way.

    Args:
        max_events: Most records of a batch.
        max_bytes: Most payload of a batch; a single larger record is a batch of its own.
        max_wait_s: Longest wait for more events, in seconds.
        latency_target_s: How long an event should take at most when there is no backlog, in seconds.
        drain_timeout_s: Longest wait for the batches in hand at a rebalance or stop, in seconds.
        max_in_flight: Batches delivered and not yet acknowledged: one being delivered, one in work, one decoded.
    """

    max_events: int
    max_bytes: int
    max_wait_s: float
    latency_target_s: float
    drain_timeout_s: float = 20.0
    max_in_flight: int = 3


class Batching:
    """What is known of cost and arrivals, and the sizes and waits that follow.

    Args:
        limits: Bounds that are kept whatever the figures say.
    """

    def __init__(self, limits: BatchLimits) -> None:
        self.limits = limits
        self.cost = Cost()
        self._event_bytes = 0.0
        self._arrivals = 0.0
        self.batches = 0
        self._last = monotonic()

    @property
    def limit(self) -> int:
        """Most events that the next batch should hold."""
        a, b = self.cost.per_event_s, self.cost.per_batch_s
        limit = float(self.limits.max_events)
        if a > 0:
            in_time = (self.limits.latency_target_s / 2 - b) / a  # it waits for one batch and is in the next
            limit = min(limit, in_time, max(_LEAST_WORTH, b / (a * _SHARE_OF_FIXED)))
        if self._event_bytes:
            limit = min(limit, self.limits.max_bytes / self._event_bytes)
        return max(1, int(limit))

    def wait_s(self, events: int) -> float:
        """How long to hold back a batch of so many events for more of them, in seconds."""
        worth = min(self.limit, self._rate() * self.cost.per_batch_s)
        if not self.limits.max_wait_s or events >= worth:
            return 0.0
        return float(min(self.limits.max_wait_s, (worth - events) / self._rate()))

    def arrived(self, events: int, size_bytes: int) -> None:
        """Events were fetched; at least one."""
        self._arrivals = self._rate() * _RATE_MEMORY_S + events
        self._last = monotonic()
        self.batches += 1
        mean = size_bytes / events
        # Follow growth at once and forget it slowly: large records come in runs.
        self._event_bytes = max(mean, 0.9 * self._event_bytes + 0.1 * mean)

    def done(self, events: int, seconds: float) -> None:
        """A batch is done, and took so long without the waits for others."""
        self.cost.observe(events, seconds)
        metrics.BATCH_TOOK.observe(seconds)
        metrics.COST_PER_EVENT.set(self.cost.per_event_s)
        metrics.COST_PER_BATCH.set(self.cost.per_batch_s)
        metrics.BATCH_LIMIT.set(self.limit)

    def _rate(self) -> float:
        """Events a second, of late."""
        return self._arrivals / _RATE_MEMORY_S * exp((self._last - monotonic()) / _RATE_MEMORY_S)
