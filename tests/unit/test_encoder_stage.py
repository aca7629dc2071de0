"""The encoder as a stage: it learns, answers alike in any company, and is the same after it was saved."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.errors import EncoderInvalid
from model.rows import Rows

if TYPE_CHECKING:
    from model.encoder.stage import EncoderStage

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too

BERT = Path(__file__).parents[1] / "data" / "encoders" / "bert"
WORDS = ("thé vert bio", "soupe de potiron", "jus d'orange")
TRUTH = np.arange(48) % 3
ROWS = Rows(
    [f"{WORDS[row % 3]} <b>n° {row}</b>" for row in range(48)],
    ["" if row % 2 else f"{WORDS[row % 3]} &amp; co" for row in range(48)],
)
NEW = Rows(
    ["Thé VERT", "", "日本茶 \ud800 🍵", "[MASK] [PAD] </s>", "x" * 20_000, "soupe"],
    ["", "jus d'orange", "", "thé", "<p>" * 9_000, "potiron " * 500],
)


@pytest.fixture(scope="module")
def fitted() -> "EncoderStage":
    """A small stage from scratch, pre-trained for one pass."""
    from model.encoder.fitting import EncoderOptions, fit

    options = EncoderOptions(max_tokens=16, epochs=8, depth=1, width=16, pretraining_epochs=1, rate=5e-3)
    return fit(ROWS, TRUTH, 3, unlabelled=NEW, options=options, seed=3)


def test_it_learns(fitted: "EncoderStage") -> None:
    """Three kinds of products with words of their own are told apart."""
    found = fitted.log_probabilities(ROWS)

    assert (found.argmax(axis=1) == TRUTH).mean() > 0.8
    np.testing.assert_allclose(1.0, np.exp(found).sum(axis=1), atol=1e-5)


def test_company_changes_nothing(fitted: "EncoderStage") -> None:
    """Each row's probabilities are the same alone and among 64 others of all lengths."""
    rows = Rows([*NEW.raw_titles, *ROWS.raw_titles] * 2, [*NEW.raw_descriptions, *ROWS.raw_descriptions] * 2)
    together = fitted.log_probabilities(rows.take(range(64)))
    alone = [fitted.log_probabilities(rows.take([row]))[0] for row in range(12)]

    np.testing.assert_allclose(np.exp(together[:12]), np.exp(alone), rtol=0, atol=1e-5)


def test_any_text_has_an_answer(fitted: "EncoderStage") -> None:
    """Lone surrogates, special tokens' names, 20,000 characters and bare markup are texts like others."""
    assert np.isfinite(fitted.log_probabilities(NEW)).all()
    assert 2 in fitted.tokens.of(Rows([""], [""])).ids[0].shape


def test_the_name_of_a_special_token_is_text(fitted: "EncoderStage") -> None:
    """A title that says [PAD] or [MASK] does not get the token."""
    special = {fitted.tokenizer.pad_token_id, fitted.tokenizer.mask_token_id}

    assert not special & set(fitted.tokens.of(Rows(["[MASK] [PAD]"], [""])).ids[0].tolist())


def test_saved_and_loaded_it_is_the_same(fitted: "EncoderStage", tmp_path: Path) -> None:
    """The saved directory answers alike, and is one that a new fit may begin with."""
    from model.encoder.directory import load_directory
    from model.encoder.stage import load_stage

    fitted.save(tmp_path / "encoder")
    loaded = load_stage(tmp_path / "encoder")

    assert (fitted.name, fitted.reads) == (loaded.name, loaded.reads)
    np.testing.assert_allclose(
        np.exp(fitted.log_probabilities(NEW)), np.exp(loaded.log_probabilities(NEW)), rtol=0, atol=1e-5
    )
    assert [] == load_directory(tmp_path / "encoder", 3, np.random.default_rng(0)).unused

    (tmp_path / "encoder" / "aisle_stage.json").write_text('{"format": 1, "classes": 4, "max_tokens": 16}')
    with pytest.raises(EncoderInvalid, match="no layer for its 4 classes"):
        load_stage(tmp_path / "encoder")


def test_a_fine_tune_lowers_the_loss() -> None:
    """A directory's network learns as a whole: the rows it saw surprise it less."""
    from model.encoder.directory import load_directory
    from model.encoder.learning import Lessons, fine_tune
    from model.encoder.stage import EncoderStage

    rng = np.random.default_rng(0)
    loaded = load_directory(BERT, 3, rng)
    stage = EncoderStage(loaded.network, loaded.tokenizer, loaded.config, 16)
    few = np.arange(9)
    targets = np.eye(3, dtype=np.float32)[TRUTH]
    lessons = Lessons(stage.tokens.of(ROWS), targets, TRUTH, few, np.empty(0, np.int64))
    before = stage.of_texts(lessons.texts.take(few))[few, TRUTH[few]].mean()
    fine_tune(stage, lessons, epochs=20, patience=20, rate=3e-3, rng=rng, progress=lambda _: None)

    assert before < stage.of_texts(lessons.texts.take(few))[few, TRUTH[few]].mean()


def test_a_frozen_encoder_learns_its_classes_alone() -> None:
    """The classes' layer is fitted to a directory's vectors, whose encoder stays what it was."""
    from model.encoder.directory import encoder_weights, load_directory
    from model.encoder.fitting import EncoderOptions, fit

    told: list[float] = []
    options = EncoderOptions(max_tokens=16, frozen=True)
    stage = fit(ROWS, TRUTH, 3, directory=BERT, options=options, progress=told.append)
    before = encoder_weights(load_directory(BERT, 3, np.random.default_rng(0)).network.encoder)
    after = encoder_weights(stage.network.encoder)

    assert 0.9 < (stage.log_probabilities(ROWS).argmax(axis=1) == TRUTH).mean()
    assert all((before[name] == after[name]).all() for name in before)
    assert sorted(told) == told
    assert 1.0 == told[-1]


def test_a_teacher_is_followed_and_the_seed_decides() -> None:
    """Where the teacher alone counts, its answers are learned and not the truth; twice, and to the same network."""
    from model.encoder.fitting import EncoderOptions, fit

    options = EncoderOptions(
        max_tokens=16, epochs=6, depth=1, width=16, rate=8e-3, teacher_weight=1.0, validation_share=0
    )
    wrong = (TRUTH + 1) % 3
    teacher = np.log(np.eye(3, dtype=np.float32)[wrong] * 0.97 + 0.01)
    first, again = (
        fit(ROWS, TRUTH, 3, teacher=teacher, options=options, seed=1).log_probabilities(ROWS) for _ in range(2)
    )

    assert 0.9 < (first.argmax(axis=1) == wrong).mean()
    np.testing.assert_allclose(np.exp(first), np.exp(again), rtol=0, atol=1e-5)


def test_hidden_tokens_are_few_and_the_texts_own() -> None:
    """A seventh of the tokens is to be guessed, none of them special or padding, and the rest is untouched."""
    from model.encoder.pretraining import hide
    from model.encoder.tokens import Batch

    ids = np.tile(np.array([2, *range(10, 40), 3, *[0] * 32], np.int32), (8, 1))
    mask = (ids != 0).astype(np.int32)
    batch = Batch(np.arange(8), ids, ids * 0, mask)
    seen, places, truth = hide(batch, [0, 2, 3], 4, 100, np.random.default_rng(0))

    assert [5] * 8 == (truth >= 0).sum(axis=1).tolist()
    guessed = np.take_along_axis(ids, places, axis=1)
    assert (truth == guessed)[truth >= 0].all()
    assert truth[truth >= 0].min() >= 10
    changed = seen != ids
    assert changed.sum() <= (truth >= 0).sum()
    assert (seen[changed] == 4).mean() > 0.6


def test_a_damaged_stage_is_refused(tmp_path: Path) -> None:
    """A directory without aisle's own file is no stage, and the message says which file."""
    from model.encoder.stage import load_stage

    with pytest.raises(EncoderInvalid, match=r"aisle_stage\.json cannot be read"):
        load_stage(shutil.copytree(BERT, tmp_path / "bert"))
