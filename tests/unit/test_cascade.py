"""The cascade asks each stage only about the rows that need it, and says what an answer rests on."""

from collections.abc import Sequence

import numpy as np
import pytest

from model.cascade import PRIOR, Cascade
from model.errors import BundleInvalid
from model.fusion import Pool
from model.held_out import subsets
from model.rows import MODALITIES, Rows
from model.stages import LogProbabilities
from schemas.prediction import Modality


class Scripted:
    """A stage that is sure of the class which a text's last character names, or a photo's last byte; else torn.

    It raises on a question mark, and knows no number for an exclamation mark.
    """

    def __init__(self, name: str, reads: Sequence[Modality], sure: float) -> None:
        self.name = name
        self.reads = frozenset(reads)
        self.sure = sure
        self.asked: list[int] = []

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """Three classes; NaN for a photo that is broken."""
        self.asked.append(len(rows))
        found = np.full((len(rows), 3), (1 - self.sure) / 2)
        for number in range(len(rows)):
            last = chr(rows.photos[number][-1]) if "image" in self.reads else rows.raw_titles[number][-1:]  # type: ignore[index] # a photo
            if last == "?":
                raise ValueError("no tensor for this\nwith a graph")
            if last.isdigit():
                found[number, int(last)] = self.sure
            else:
                found[number] = np.nan if last == "!" else 1 / 3
        answers: LogProbabilities = np.log(found).astype(np.float32)
        return answers


def cascade(stages: Sequence[Scripted], stop_at: float = 0.8) -> Cascade:
    """All stages count alike, and the first sure one decides."""
    pools = []
    for shown in subsets(frozenset(MODALITIES)):
        asked = [stage.name for stage in stages if stage.reads & set(shown)]
        pools += [
            Pool(modalities=shown, stages=tuple(asked[:count]), weights=(1.0,) * count, stop_at=stop_at)
            for count in range(1, len(asked) + 1)
        ]
    return Cascade(stages, pools, [0.5, 0.3, 0.2])


TEXTS: tuple[Modality, ...] = ("title", "description")


def test_only_unsure_rows_go_on() -> None:
    """Two rows are sure after the first stage; the second is asked about the third alone, and decides it."""
    first, second = Scripted("text", TEXTS, 0.9), Scripted("text-rich", TEXTS, 0.95)
    answers = cascade([first, second]).answer(Rows(["a0", "b1", "c"], [""] * 3))

    assert ([3], [1]) == (first.asked, second.asked)
    assert [0, 0, 1] == answers.stage.tolist()
    assert [0, 1] == answers.probabilities.argmax(axis=1)[:2].tolist()


def test_nothing_to_read_gets_the_prior() -> None:
    """An empty row, and one with a photo that no stage reads."""
    answers = cascade([Scripted("text", TEXTS, 0.9)]).answer(Rows(["", ""], ["", ""], [None, b"1"]))

    assert [PRIOR, PRIOR] == answers.stage.tolist()
    assert [0.5, 0.3, 0.2] == pytest.approx(answers.probabilities[1].tolist())
    assert not answers.used.any()


def test_a_photo_decides_where_the_text_cannot() -> None:
    """The text is torn, the photo is not; a row without a photo keeps the text's word."""
    stages = [Scripted("text", TEXTS, 0.9), Scripted("image", ["image"], 0.9)]
    answers = cascade(stages).answer(Rows(["a", "b", ""], [""] * 3, [b"2", None, b"1"]))

    assert [1, 0, 1] == answers.stage.tolist()
    assert [[True, False, True], [True, False, False], [False, False, True]] == answers.used.tolist()
    assert (2, 1) == tuple(answers.probabilities[[0, 2]].argmax(axis=1).tolist())


def test_a_broken_photo_leaves_the_rest_of_the_answer() -> None:
    """It is named, the text's answer stands, and its neighbours are not touched."""
    stages = [Scripted("text", TEXTS, 0.6), Scripted("image", ["image"], 0.9)]
    answers = cascade(stages).answer(Rows(["a0", "b0", ""], [""] * 3, [b"!", b"1", b"!"]))

    assert {row: {"image": "the photo cannot be decoded"} for row in (0, 2)} == answers.failed
    assert [0, 1, PRIOR] == answers.stage.tolist()
    assert 0.6 == pytest.approx(answers.probabilities[0, 0])
    assert 1 == answers.probabilities[1].argmax()


def test_a_text_without_a_number_stays_without_one() -> None:
    """A broken network is no reason to guess."""
    answers = cascade([Scripted("text", TEXTS, 0.9)]).answer(Rows(["a!", "b1"], ["", ""]))

    assert np.isnan(answers.probabilities[0]).all()
    assert 1 == answers.probabilities[1].argmax()


def test_a_later_stage_without_a_number_leaves_the_answer_of_the_first() -> None:
    """It is no guess, as a stage has answered; what could not is named."""
    first, second = Scripted("text", TEXTS, 0.6), Scripted("encoder", TEXTS, 0.9)
    second.log_probabilities = lambda rows: np.full((len(rows), 3), np.nan, np.float32)  # type: ignore[method-assign]
    answers = cascade([first, second]).answer(Rows(["a0", "b1"], ["", ""]))

    assert [0, 0] == answers.stage.tolist()
    assert [0, 1] == answers.probabilities.argmax(axis=1).tolist()
    assert {row: {"encoder": "its answer is not a number"} for row in (0, 1)} == answers.failed


def test_a_photo_that_breaks_its_stage_leaves_the_rest_of_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """It counts as no photo, with the reason; its neighbours keep theirs, and the log has what was raised."""
    stages = [Scripted("text", TEXTS, 0.6), Scripted("image", ["image"], 0.9)]
    titles, photos = ["a0"] * 60 + ["b2"], [b"1"] * 60 + [b"?"]
    answers = cascade(stages).answer(Rows(titles, [""] * 61, photos))

    assert {60: {"image": "ValueError: no tensor for this"}} == answers.failed
    assert [1] * 60 + [0] == answers.stage.tolist()
    assert [1] * 60 + [2] == answers.probabilities.argmax(axis=1).tolist()
    assert 0.6 == pytest.approx(answers.probabilities[60, 2])
    assert [[True, False, True]] * 60 + [[True, False, False]] == answers.used.tolist()
    assert "stage image fails on a batch of 61: ValueError: no tensor for this" in caplog.text
    assert "Traceback" in caplog.text


def test_what_nobody_else_answers_raises() -> None:
    """A poison is found by who sends the batch: the first stage's, and a photo's that has no text beside it."""
    stages = [Scripted("text", TEXTS, 0.6), Scripted("image", ["image"], 0.9)]
    for rows in (Rows(["a0", "a?"], [""] * 2), Rows(["a0", ""], [""] * 2, [b"1", b"?"])):
        with pytest.raises(ValueError, match="no tensor"):
            cascade(stages).answer(rows)


def test_a_case_without_weights_is_refused() -> None:
    """A manifest that forgets a set of modalities is found when it is loaded, not at the first such product."""
    with pytest.raises(BundleInvalid, match="no weights for title after text"):
        Cascade([Scripted("text", TEXTS, 0.9)], [], [0.5, 0.3, 0.2])


def test_a_broken_photo_counts_as_none() -> None:
    """The answer is calibrated as that to the same text without a photo, not as that to one with a photo."""
    stages = [Scripted("text", TEXTS, 0.6), Scripted("image", ["image"], 0.9)]
    pools = []
    for shown in subsets(frozenset(MODALITIES)):
        asked = [stage.name for stage in stages if stage.reads & set(shown)]
        weight = 2.0 if "image" in shown else 1.0
        pools += [
            Pool(modalities=shown, stages=tuple(asked[:count]), weights=(weight,) * count, stop_at=0.99)
            for count in range(1, len(asked) + 1)
        ]
    answers = Cascade(stages, pools, [0.5, 0.3, 0.2]).answer(Rows(["a0", "a0"], [""] * 2, [b"!", None]))

    assert answers.probabilities[1].tolist() == answers.probabilities[0].tolist()


def test_a_lapse_and_an_offset_are_part_of_the_answer() -> None:
    """A class that holds back has less, and what lapses goes to all classes alike."""
    stage = Scripted("text", TEXTS, 0.9)
    sets = [shown for shown in subsets(frozenset(MODALITIES)) if set(shown) & set(TEXTS)]
    pools = [Pool(modalities=shown, stages=("text",), weights=(1.0,), lapse=0.3) for shown in sets]
    rows = Rows(["a0"], [""])
    (plain,) = np.exp(stage.log_probabilities(rows))
    moved = plain * np.exp([0.0, -1.0, 0.0])

    (found,) = Cascade([stage], pools, [0.5, 0.3, 0.2], [0.0, -1.0, 0.0]).answer(rows).probabilities

    assert 0.7 * moved / moved.sum() + 0.1 == pytest.approx(found, abs=1e-5)
