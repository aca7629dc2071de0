"""Hostile requests at a gateway: ``python -m tests.hostile``.

Starts a gateway and an archive over a real broker and store, sends requests of every kind that is drawn from a seed,
and holds each answer to what is promised; then looks at what was stored. Ends with 1 when a promise was broken.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from random import randrange
from typing import Final

from scripts.progress import progress_bar
from tests.hostile.run import Tally, attack
from tests.hostile.stage import services, staged

COUNT: Final = 20_000
MOST_GROWTH_MB: Final = 400
"""A body of 16 MiB is held in parts, whole, as text and parsed, and several may be under way; 20,000 requests were seen
to take half of this."""


def main(arguments: list[str] | None = None) -> int:
    """Run, and print what became of them; the exit status."""
    parser = argparse.ArgumentParser(prog="bench requests", description=__doc__, allow_abbrev=False)
    parser.add_argument("--count", type=int, default=COUNT, help="how many requests")
    parser.add_argument("--seed", type=int, default=None, help="of the dice; default: another each time")
    parser.add_argument("--kafka", help="host:port of a broker; default: one of its own")
    parser.add_argument("--mongodb", help="URI of a store; default: one of its own")
    given = parser.parse_args(arguments)
    seed = randrange(1_000_000) if given.seed is None else given.seed
    print(f"{given.count:,} requests, seed {seed}", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisle-hostile-")))
        kafka, mongodb = services(stack, folder, given.kafka, given.mongodb)
        stage = stack.enter_context(staged(kafka, mongodb, folder / "stage"))
        with progress_bar("requests", given.count) as told:
            tally = asyncio.run(attack(stage, seed, given.count, told))
    return show(tally)


def show(tally: Tally) -> int:
    """Print a tally; the exit status."""
    print(
        f"\n{'kind':32}{'1xx-2xx':>9}{'3xx':>7}{'4xx':>7}{'5xx':>7}{'closed':>8}{'reset':>7}{'hung up':>9}{'hung':>6}"
    )
    for kind, counts in sorted(tally.statuses.items()):
        row = [counts["2xx"], counts["3xx"], counts["4xx"], counts["5xx"]]
        row += [counts[end] for end in ("closed", "reset", "hung up", "hung")]
        widths = (9, 7, 7, 7, 8, 7, 9, 6)
        print(f"{kind:32}" + "".join(f"{one or '':>{width}}" for one, width in zip(row, widths, strict=True)))
    print("\nanswers by status: " + ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.exact.items())))
    memory = tally.memory
    print(f"{tally.count:,} requests in {tally.seconds:.0f} s, {tally.count / tally.seconds:.0f} a second")
    print(f"memory of the gateway: {memory.before:.0f} MB before, at most {memory.peak:.0f}, {memory.after:.0f} after")
    print("  at each tenth: " + ", ".join(f"{one:.0f}" for one in memory.on_the_way))
    for (kind, said), count in tally.breaches.most_common():
        print(f"BROKEN {count} x {kind}: {said}\n  {tally.examples[kind, said]!r}"[:1_500])
    for said in tally.wrong:
        print(f"WRONG {said}")
    grown = memory.peak - memory.before > MOST_GROWTH_MB
    if grown:
        print(f"GROWN by more than {MOST_GROWTH_MB} MB")
    failed = bool(tally.breaches or tally.wrong or grown)
    print("promises were broken" if failed else "every promise was kept")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
