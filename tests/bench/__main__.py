"""``make bench``: everything that is measured here, or one part of it by ARGS."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

HELP: Final = """\
usage: make bench [ARGS="PART [OPTIONS]"]

  model   the first stage beside TF-IDF + LinearSVC (40 minutes)
  stream  the stream beside other frameworks; latency, memory, scaling, recovery
          (20 minutes)
  parts   CPU of each part of the classify road, without a broker (1 minute)
  sizes   bytes of an event on its topics and in the store (some seconds)
  hostile 10,000 products that nobody wants: what becomes of them, and the memory
          that it takes (5 minutes)
  requests
          20,000 hostile requests at a gateway: what is answered and stored, and the
          memory that it takes (5 minutes)
  pages   every page in a browser, over a store full of script (1 minute)
  swaps   100 changes of the model in service under load (5 minutes)
  rollback
          the way back to the former model, in several workers under load (1 minute)
  verdicts
          how soon a person's word is every worker's answer (1 minute)
  learning
          300 corrections of one mistake, and what the model in service makes of it,
          while products go on being answered (5 minutes)
  forgetting
          a category taught by corrections: what is learned, what forgotten
          (20 minutes)
  gateway predict calls over HTTP by 200 callers, with a restart in the middle
          (2 minutes)
  review  from a reviewer's key to the next item, in a browser (4 minutes)
  replay  100,000 events replayed, also by a command that is killed: the rate, its
          memory, and whether the store stays as it was (10 minutes)
  what-if what another model would have said of 10,000 events: whether the figures
          are those of the rows, and what it costs a live stream (6 minutes)
  trace   one product from its request to the store, drawn (1 minute)
  poison  poisoned feedback: who is set aside, and what the gate says (4 minutes)
  kills   ten trainings whose worker is killed (15 minutes)

Without a part, model, stream and parts. ARGS="stream --help" lists the options of one.
"""


def parts(arguments: list[str]) -> None:
    """CPU by part; of the stream's model unless another is named."""
    from tests.bench import bench_stream
    from tests.bench import parts as measured

    sys.argv = ["bench parts", "--model", str(bench_stream.bundle()), *arguments]
    measured.main()


def requests(arguments: list[str]) -> None:
    """Hostile requests."""
    from tests.hostile.__main__ import main as send

    sys.exit(send(arguments))


def pages(arguments: list[str]) -> None:
    """Hostile texts on pages."""
    from tests.hostile.pages import main as look

    sys.exit(look(arguments))


OTHERS: Final[dict[str, Callable[[list[str]], None]]] = {"parts": parts, "requests": requests, "pages": pages}
"""Those that are no module of this folder."""

DEFAULT: Final = ("model", "stream", "parts")
"""What measures speed; the rest mostly counts."""


def find(name: str) -> Callable[[list[str]], None] | None:
    """What runs a part, if there is such a part; bench_NAME.py here."""
    if name in OTHERS:
        return OTHERS[name]
    file = f"bench_{name.replace('-', '_')}"
    if not (Path(__file__).parent / f"{file}.py").is_file():
        return None
    run: Callable[[list[str]], None] = import_module(f"tests.bench.{file}").main
    return run


def main(arguments: list[str]) -> int:
    """Run a part or all of them; the exit status."""
    if not arguments:
        for name in DEFAULT:
            main([name])
        return 0
    name, *rest = arguments
    if (run := find(name)) is None:
        asked = name in ("-h", "--help", "help")
        print(HELP, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    run(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
