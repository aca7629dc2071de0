"""The encoder as a stage: it learns, answers alike in any company, and is the same after it was saved."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

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


def test_saved_and_loaded_it_is_the_same(
    fitted: "EncoderStage", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saved directory answers alike, and is one that a new fit may begin with."""
    from model.encoder import lite
    from model.encoder.directory import load_directory
    from model.encoder.loading import load_stage

    monkeypatch.setattr(lite, "is_here", lambda: False)
    fitted.save(tmp_path / "encoder")
    loaded = load_stage(tmp_path / "encoder")

    assert (fitted.name, fitted.reads) == (loaded.name, loaded.reads)
    np.testing.assert_allclose(
        np.exp(fitted.log_probabilities(NEW)), np.exp(loaded.log_probabilities(NEW)), rtol=0, atol=1e-5
    )
    assert [] == load_directory(tmp_path / "encoder", 3, np.random.default_rng(0)).unused

    notes = tmp_path / "encoder" / "aisle_stage.json"
    notes.write_text('{"format": 1, "classes": 4, "max_tokens": 16, "pad": 0}')
    with pytest.raises(EncoderInvalid, match="no layer for its 4 classes"):
        load_stage(tmp_path / "encoder")


def test_on_litert_it_is_the_same_or_it_is_not_used(
    fitted: "EncoderStage", tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Converted, it answers alike in any company; where the answers kept with it say otherwise, TensorFlow goes on."""
    from model.encoder.lite import GOLDEN, LiteStage
    from model.encoder.loading import load_stage
    from model.encoder.stage import EncoderStage

    fitted.save(tmp_path / "encoder")
    loaded = load_stage(tmp_path / "encoder")
    together, alone = loaded.log_probabilities(NEW), loaded.log_probabilities(NEW.take([3]))

    assert isinstance(loaded, LiteStage)
    np.testing.assert_allclose(np.exp(fitted.log_probabilities(NEW)), np.exp(together), rtol=0, atol=1e-5)
    np.testing.assert_allclose(np.exp(alone[0]), np.exp(together[3]), rtol=0, atol=1e-5)

    with np.load(tmp_path / "encoder" / GOLDEN) as golden:
        np.savez(tmp_path / "encoder" / GOLDEN, **{**golden, "answer_16": golden["answer_16"] + 0.01})
    assert isinstance(load_stage(tmp_path / "encoder"), EncoderStage)
    assert "LiteRT answers otherwise by 0.0" in caplog.text


def test_a_fine_tune_lowers_the_loss() -> None:
    """A directory's network learns as a whole: the rows it saw surprise it less."""
    from model.encoder.directory import load_directory
    from model.encoder.learning import Lessons, fine_tune
    from model.encoder.stage import EncoderStage

    rng = np.random.default_rng(0)
    loaded = load_directory(BERT, 3, rng)
    stage = EncoderStage(loaded.network, loaded.tokenizer, loaded.config, 16)
    few = np.arange(9)
    lessons = Lessons(stage.tokens.of(ROWS), TRUTH, few, np.empty(0, np.int64))
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
    """A class that no label names is learned from what the teacher makes of rows without one; twice alike.

    The teacher is not told what it must not know: the labels of the validation side.
    """
    from model.encoder.fitting import EncoderOptions, fit

    told: list[NDArray[np.int64]] = []

    def teacher(rows: Rows, truth: NDArray[np.int64], classes: int, **_: object) -> NDArray[np.float32]:
        told.append(truth)
        found = [next(number for number, word in enumerate(WORDS) if word in title) for title in rows.titles]
        answers: NDArray[np.float32] = np.log(np.eye(classes, dtype=np.float32)[found] * 0.97 + 0.01)
        return answers

    options = EncoderOptions(max_tokens=16, epochs=8, depth=1, width=16, rate=8e-3)
    known, unknown = np.flatnonzero(TRUTH < 2), ROWS.take(np.flatnonzero(TRUTH == 2))
    first, again = (
        fit(ROWS.take(known), TRUTH[known], 3, unlabelled=unknown, teacher=teacher, options=options, seed=1)
        for _ in range(2)
    )
    found = first.log_probabilities(ROWS)

    assert 0.9 < (found.argmax(axis=1) == TRUTH).mean()
    np.testing.assert_allclose(np.exp(found), np.exp(again.log_probabilities(ROWS)), rtol=0, atol=1e-5)
    assert (told[0][len(known) :] == -1).all()
    assert 4 == (told[0][: len(known)] == -1).sum()


def test_a_teachers_directory_answers_rows_it_has_not_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels drawn by lot are not guessed, though each title is there twice, with a feature to be known by.

    Rows without a label are answered too.
    """
    from model.encoder.distillation import DirectoryTeacher
    from model.encoder.stage import EncoderStage

    titles = [f"{word} {number}" for number in range(16) for word in WORDS]
    rows = Rows([*titles, *(title.upper() for title in titles), "thé"], [""] * 97)
    lots, own = np.random.default_rng(0).integers(0, 2, 48), np.eye(49)[[*range(48), *range(48), 48]]
    vectors = EncoderStage.features
    monkeypatch.setattr(EncoderStage, "features", lambda *given: np.hstack([vectors(*given), 9 * own]))
    found = DirectoryTeacher(BERT, 16)(rows, np.append(np.tile(lots, 2), -1), 2, seed=0, progress=lambda _: None)

    assert (found[:96].argmax(axis=1) == np.tile(lots, 2)).mean() < 0.75
    np.testing.assert_allclose(1.0, np.exp(found).sum(axis=1), atol=0.05)


def test_twins_of_a_title_are_on_one_side() -> None:
    """Titles that differ in case and markup stay together, and untitled rows go by what they have."""
    from model.encoder.sides import sides

    titles = [text for number in range(40) for text in (f"Thé n° {number}", f"<b>THÉ</b>  n° {number}")]
    rows = Rows([*titles, *[""] * 80], ["", "other"] * 40 + [f"soupe {number}" for number in range(80)])
    truth = np.repeat([0, 1, -1], [80, 70, 10])
    train, validation = sides(rows, truth, 0.2, seed=0)

    assert set(range(150)) == set(train.tolist()) | set(validation.tolist())
    assert not {rows.titles[row] for row in train if row < 80} & {rows.titles[row] for row in validation if row < 80}
    assert (16, 14) == ((validation < 80).sum(), (validation >= 80).sum())


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
    from model.encoder.loading import load_stage

    with pytest.raises(EncoderInvalid, match=r"aisle_stage\.json cannot be read"):
        load_stage(shutil.copytree(BERT, tmp_path / "bert"))
