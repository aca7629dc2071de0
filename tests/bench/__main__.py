"""``make bench``: everything that is measured here, or with ARGS ``model`` or ``stream`` one part of it."""

import sys
from typing import Final

from tests.bench import bench_model, bench_stream

PARTS: Final = {"model": bench_model.main, "stream": bench_stream.main}
HELP: Final = """\
usage: make bench [ARGS="PART [OPTIONS]"]

  model   the first stage beside TF-IDF + LinearSVC (3 minutes)
  stream  the stream beside other frameworks, latency, memory, recovery (20 minutes)

Without a part, both. ARGS="stream --help" lists the options of one.
"""


def main(arguments: list[str]) -> int:
    """Run a part or all of them; the exit status."""
    if not arguments:
        for part in PARTS.values():
            part([])
        return 0
    name, *rest = arguments
    if name not in PARTS:
        asked = name in ("-h", "--help", "help")
        print(HELP, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    PARTS[name](rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
