"""What held-out answers decide: which stages stay, with which weights, and where the cascade stops."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.cascade import Route
from model.choice import choose, pools_of, simulate
from model.fusion import softmax
from model.held_out import HeldOut, subsets
from model.kinds import Kind
from model.rows import MODALITIES
from model.stages import LogProbabilities, Truth
from schemas.prediction import Modality

ROWS, CLASSES = 1_500, 4
DICE = np.random.default_rng(11)
TRUTH: Truth = DICE.integers(CLASSES, size=ROWS)
SIGNAL = np.eye(CLASSES)[TRUTH]
TEXTS: frozenset[Modality] = frozenset({"title", "description"})


def kind(name: str, reads: frozenset[Modality]) -> Kind:
    """A kind whose answers are given: it is never fitted."""
    return Kind(name, reads, fit=None)  # type: ignore[arg-type] # never called


def said(strength: float, seed: int) -> LogProbabilities:
    """Answers that know the truth as well as this."""
    noise = np.random.default_rng(seed).normal(size=(ROWS, CLASSES))
    return np.log(softmax(strength * SIGNAL + noise)).astype(np.float32)


def held(answers: dict[str, tuple[frozenset[Modality], LogProbabilities]], present: NDArray[np.bool_]) -> HeldOut:
    """Each stage says the same whatever it is shown, of the rows that have what it is shown."""
    found = {}
    for name, (reads, answer) in answers.items():
        for shown in subsets(reads):
            has: NDArray[np.bool_] = np.all(present[:, [MODALITIES.index(one) for one in shown]], axis=1)
            found[name, shown] = np.where(has[:, None], answer, np.nan).astype(np.float32)
    return HeldOut(present, TRUTH, np.arange(len(TRUTH)), found)


def columns(*shares: float) -> NDArray[np.bool_]:
    """Which modalities rows have, by their shares."""
    dice = np.random.default_rng(3).random((ROWS, len(shares)))
    return np.stack([dice[:, number] < share for number, share in enumerate(shares)], axis=1)


WEAK, STRONG, EYE = kind("text", TEXTS), kind("text-rich", TEXTS), kind("image", frozenset({"image"}))


def test_a_stage_that_adds_nothing_is_left_out() -> None:
    """The same answer again, with noise on it, makes no row likelier; the reason has the figures."""
    useless = np.log(softmax(0.0 * SIGNAL + np.random.default_rng(5).normal(size=(ROWS, CLASSES))))
    some = held({"text": (TEXTS, said(2, 1)), "text-rich": (TEXTS, useless.astype(np.float32))}, columns(1, 0.5, 0))

    kept, tried = choose([WEAK, STRONG], some)

    assert [WEAK] == kept
    assert [True, False] == [one.kept for one in tried]
    assert "held-out rows" in tried[1].why


def test_a_stage_that_only_knows_how_sure_to_be_is_left_out() -> None:
    """Likelier rows without more right ones are no reason to run another network for each row."""
    first = said(2, 1)
    right = first.argmax(axis=1) == TRUTH
    echo = np.where(right[:, None], 3 * first, 0 * first)  # says the same again, and louder where that is right
    some = held({"text": (TEXTS, first), "text-rich": (TEXTS, echo.astype(np.float32))}, columns(1, 0.5, 0))

    kept, tried = choose([WEAK, STRONG], some)

    assert [WEAK] == kept
    assert "log-likelihood +" in tried[1].why


def test_a_stage_that_knows_more_stays_and_is_asked_about_unsure_rows_only() -> None:
    """Most rows are sure without it; the cascade is as right as both together."""
    weak, strong = said(3, 1), said(5, 2)
    some = held({"text": (TEXTS, weak), "text-rich": (TEXTS, strong)}, columns(1, 0.5, 0))

    kept, _ = choose([WEAK, STRONG], some)
    route = Route(kept, pools_of(kept, some), [1 / CLASSES] * CLASSES)
    answers, _ = simulate(route, kept, some)

    assert [WEAK, STRONG] == kept
    assert 0.05 < (answers.stage == 1).mean() < 0.95
    right = (answers.probabilities.argmax(axis=1) == TRUTH).mean()
    both = (weak + strong).argmax(axis=1) == TRUTH
    assert right > both.mean() - 0.01


def test_photos_are_kept_for_the_rows_that_have_nothing_else() -> None:
    """However weak: without it those rows would get the prior."""
    present = columns(0.7, 0.3, 0.5)
    present[:, 2] |= ~present[:, :2].any(axis=1)
    some = held({"text": (TEXTS, said(4, 1)), "image": (EYE.reads, said(1, 2))}, present)

    kept, _ = choose([WEAK, EYE], some)
    answers, _ = simulate(
        Route(kept, pools_of(kept, some), [1 / CLASSES] * CLASSES),
        kept,
        some,
    )

    assert [WEAK, EYE] == kept
    alone = ~present[:, :2].any(axis=1)
    assert (answers.stage[alone] == 1).all()
    np.testing.assert_array_equal(answers.used[:, 2][alone], True)


def test_the_answers_are_calibrated_by_what_a_row_has() -> None:
    """Mean confidence and accuracy agree, with a photo and without."""
    present = columns(1, 0, 0.5)
    overconfident = 3 * said(2, 1)
    some = held({"text": (TEXTS, overconfident), "image": (EYE.reads, said(2, 2))}, present)

    kept, _ = choose([WEAK, EYE], some)
    answers, _ = simulate(
        Route(kept, pools_of(kept, some), [1 / CLASSES] * CLASSES),
        kept,
        some,
    )

    for rows in (present[:, 2], ~present[:, 2]):
        right = answers.probabilities[rows].argmax(axis=1) == TRUTH[rows]
        assert abs(answers.probabilities[rows].max(axis=1).mean() - right.mean()) < 0.03


def test_titles_alone_teach_how_far_titles_with_descriptions_may_be_believed() -> None:
    """What held-out rows never have is weighed as what they have, and stops where that does."""
    present = columns(1, 0, 0)
    some = held({"text": (TEXTS, 3 * said(2, 1)), "text-rich": (TEXTS, said(4, 2))}, present)
    pools = {(pool.modalities, pool.stages): pool for pool in pools_of([WEAK, STRONG], some)}

    for stages in (("text",), ("text", "text-rich")):
        known = pools[("title",), stages]
        assert known.weights != pytest.approx((1 / len(stages),) * len(stages), abs=0.1)
        for shown in (("description",), ("title", "description"), ("title", "description", "image")):
            borrowed = pools[shown, stages]
            assert (known.weights, known.stop_at) == (borrowed.weights, borrowed.stop_at)


def test_stages_that_never_answered_together_count_alike() -> None:
    """Each is tempered as it is alone, and the cascade does not stop before it has heard all of them."""
    present = columns(0.5, 0, 0)
    present[:, 2] = ~present[:, 0]
    some = held({"text": (TEXTS, 4 * said(1, 1)), "image": (EYE.reads, 2 * said(1, 2))}, present)
    pools = {(pool.modalities, pool.stages): pool for pool in pools_of([WEAK, EYE], some)}
    (text,), (photo,) = pools[("title",), ("text",)].weights, pools[("image",), ("image",)].weights

    assert (text / 2, photo / 2) == pytest.approx(pools[("title", "image"), ("text", "image")].weights)
    first = pools[("title", "image"), ("text",)]
    assert (text,) == first.weights
    assert first.stop_at > 1.0
    assert text < 0.5


def test_a_photo_that_hardly_any_row_has_borrows_from_rows_that_do() -> None:
    """Rows with a description and a photo say how title and photo are weighed; too few rows fit nothing."""
    present = columns(0.5, 0, 1)
    present[:, 1] = ~present[:, 0]
    present[20:, 2] &= present[20:, 1]
    some = held({"text": (TEXTS, 3 * said(2, 1)), "image": (EYE.reads, said(2, 2))}, present)
    pools = {(pool.modalities, pool.stages): pool for pool in pools_of([WEAK, EYE], some)}

    for shown in (("title", "image"), ("title", "description", "image")):
        assert pools[("description", "image"), ("text", "image")].weights == pools[shown, ("text", "image")].weights
    assert pools[("title",), ("text",)].weights == pools[("title", "image"), ("text",)].weights


def test_what_a_slow_stage_was_not_asked_about_decides_nothing() -> None:
    """It is fitted once: threshold and shares come from the rows of that fold, as if there were no others."""
    slow = Kind("image", EYE.reads, fit=None, is_light=False)  # type: ignore[arg-type] # never called
    present, first = columns(1, 0, 1), ROWS // 5
    seen = said(2, 2)
    seen[first:] = np.nan
    some = replace(held({"text": (TEXTS, said(0.5, 1)), "image": (EYE.reads, seen)}, present), asked_of_all=first)

    answers, asked = simulate(
        Route([WEAK, slow], pools_of([WEAK, slow], some), [1 / CLASSES] * CLASSES), [WEAK, slow], some
    )

    assert list(range(first)) == asked.tolist()
    assert first == len(answers.stage)
    assert (answers.stage == 1).mean() > 0.9
