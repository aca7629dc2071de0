"""``make bench``: everything that is measured here, or one part of it by ARGS."""

import sys
from collections.abc import Callable
from typing import Final

HELP: Final = """\
usage: make bench [ARGS="PART [OPTIONS]"]

  model   the first stage beside TF-IDF + LinearSVC (40 minutes)
  stream  the stream beside other frameworks; latency, memory, scaling, recovery
          (20 minutes)
  parts   CPU of each part of the classify road, without a broker (1 minute)
  hostile 10,000 products that nobody wants: what becomes of them, and the memory
          that it takes (5 minutes)
  swaps   100 changes of the model in service under load (5 minutes)

Without a part, all but the last two. ARGS="stream --help" lists the options of one.
"""


def model(arguments: list[str]) -> None:
    """Quality and speed of the first stage."""
    from tests.bench import bench_model

    bench_model.main(arguments)


def stream(arguments: list[str]) -> None:
    """The stream beside others."""
    from tests.bench import bench_stream

    bench_stream.main(arguments)


def parts(arguments: list[str]) -> None:
    """CPU by part; of the stream's model unless another is named."""
    from tests.bench import bench_stream
    from tests.bench import parts as measured

    sys.argv = ["bench parts", "--model", str(bench_stream.bundle()), *arguments]
    measured.main()


def hostile(arguments: list[str]) -> None:
    """Products that nobody wants."""
    from tests.bench import bench_hostile

    bench_hostile.main(arguments)


def swaps(arguments: list[str]) -> None:
    """Changes of the model in service."""
    from tests.bench import bench_swaps

    bench_swaps.main(arguments)


PARTS: Final[dict[str, Callable[[list[str]], None]]] = {
    "model": model,
    "stream": stream,
    "parts": parts,
    "hostile": hostile,
    "swaps": swaps,
}
_BY_NAME_ALONE: Final = {"hostile", "swaps"}  # they count; speed is measured by the others


def main(arguments: list[str]) -> int:
    """Run a part or all of them; the exit status."""
    if not arguments:
        for name, part in PARTS.items():
            if name not in _BY_NAME_ALONE:
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
