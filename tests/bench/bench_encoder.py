"""Speed of the encoder's engines, TensorFlow and LiteRT, in turns: ``python -m tests.bench.bench_encoder``.

A network of 4 blocks of 256 with random weights, as speed does not depend on them. Prints a Markdown table of rows a
second by the clock and by the CPU's: on a machine that does other things too, only the latter says something.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from model.encoder.answering import Answering
from model.encoder.tokens import Ints

LENGTHS = (16, 32, 64)
BATCHES = (32, 8, 1)
WORDS = 16_000
CLASSES = 27


def engines(folder: str) -> dict[str, Answering]:
    """The same network on both."""
    from model.encoder import lite
    from model.encoder.directory import new_network
    from model.encoder.notes import read_notes
    from model.encoder.stage import EncoderStage
    from model.encoder.vocabulary import small_config, train_tokenizer
    from model.rows import Rows

    tokenizer = train_tokenizer(Rows(["a word"], [""]), max(LENGTHS))
    config = small_config(tokenizer, max(LENGTHS), depth=4, width=256)
    config.vocab_size = WORDS
    stage = EncoderStage(new_network(config, CLASSES, np.random.default_rng(0)), tokenizer, config, max(LENGTHS))
    path = Path(folder) / "encoder"
    stage.save(path)
    converted = lite.open_lite(path, read_notes(path))
    return {"TensorFlow": stage} | ({} if converted is None else {"LiteRT": converted})


def speeds(tried: dict[str, Answering], tokens: tuple[Ints, Ints, Ints], rounds: int) -> dict[str, tuple[float, float]]:
    """By engine, rows a second by the clock and by the CPU, the medians of some rounds of 64 rows each."""
    rows = len(tokens[0])
    calls = max(1, 64 // rows)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in tried}
    for _ in range(rounds):
        for name, engine in tried.items():
            engine.answer(*tokens)
            clock, cpu = time.perf_counter(), time.process_time()
            for _ in range(calls):
                engine.answer(*tokens)
            done = rows * calls
            found[name].append((done / (time.perf_counter() - clock), done / (time.process_time() - cpu)))
    return {name: (median(one for one, _ in all_), median(one for _, one in all_)) for name, all_ in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench_encoder", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        tried = engines(folder)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| tokens | rows a call |" + "".join(f" {name}: rows/s | rows/CPU s |" for name in tried))
    print("|---:|---:|" + "---:|" * (2 * len(tried)))
    for length in LENGTHS:
        for batch in BATCHES:
            ids = np.random.default_rng(0).integers(5, WORDS, (batch, length)).astype(np.int32)
            found = speeds(tried, (ids, np.zeros_like(ids), np.ones_like(ids)), rounds)
            cells = "".join(f" {clock:,.0f} | {cpu:,.0f} |" for clock, cpu in found.values())
            print(f"| {length} | {batch} |{cells}", flush=True)


if __name__ == "__main__":
    main()
