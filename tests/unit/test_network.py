"""The network: what training computes is what serving computes."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.rows import Rows

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too

TITLES = ["thé vert bio, sachet", "soupe de potiron", "jus d'orange", "thé noir", "soupe à l'oignon", "jus - pomme"]
DESCRIPTIONS = ["", "potiron, eau, sel", "orange orange orange", "", "oignon", ""]
TRUTH = np.array([0, 1, 2, 0, 1, 2])
NEW = [
    "thé vert thé vert",
    "xylophone",
    "",
    "jus 日本茶 d'orange",
    "oignons frits, sauce soja",
    "!!",
    "(sans) sel",
    "é" * 900,
]


def _fitted() -> tuple:  # type: ignore[type-arg] # TensorFlow ships no types
    from model.text.features import Block, Idf, read
    from model.text.fitting import fit_one_vs_rest
    from model.text.network import FittedView, NgramNetwork
    from model.text.views import VIEWS

    corpus = read(TITLES, DESCRIPTIONS)
    idfs = [Idf.fit(corpus, view) for view in VIEWS]
    blocks = [Block(corpus, view, idf) for view, idf in zip(VIEWS, idfs, strict=True)]
    coefficients, bias = fit_one_vs_rest(blocks, TRUTH, 3)
    views = [FittedView(*parts) for parts in zip(VIEWS, idfs, coefficients, strict=True)]
    known = corpus.frequent(8)  # some words are known, others are spelled out
    return views, bias, NgramNetwork(views, bias, known)


@pytest.fixture(scope="module")
def fitted() -> tuple:  # type: ignore[type-arg]
    """Weights, and the network made of them."""
    return _fitted()


@pytest.fixture(scope="module")
def saved(fitted: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[type-arg]
    """The network, saved."""
    from model.text.network import export

    path = tmp_path_factory.mktemp("saved") / "text"
    export(fitted[2], path)
    return path


@cache
def _graph(network: Any) -> Any:
    """What it computes, as it is served; without one each call takes a third of a second."""
    from model.tensorflow import tensorflow

    tf = tensorflow()
    return tf.function(network.margins, input_signature=[tf.TensorSpec([None], tf.string)] * 2)


def _difference(fitted: tuple, titles: list[str], descriptions: list[str]) -> float:  # type: ignore[type-arg]
    from model.tensorflow import tensorflow
    from model.text.features import Block, read

    views, bias, network = fitted
    tf, corpus = tensorflow(), read(titles, descriptions)
    trained = bias + sum(Block(corpus, fit.view, fit.idf).margins(fit.coefficients) for fit in views)
    served = _graph(network)(tf.constant(titles), tf.constant(descriptions)).numpy()
    return float(np.abs(trained - served).max())


def test_serving_computes_what_training_computed(fitted: tuple) -> None:  # type: ignore[type-arg]
    """Known words, new words, repeats, other scripts and empty texts agree to 1e-5."""
    assert _difference(fitted, TITLES, DESCRIPTIONS) < 1e-5
    assert _difference(fitted, NEW, NEW[::-1]) < 1e-5


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), min_size=1, max_size=6))
def test_any_text_agrees(fitted: tuple, texts: list[tuple[str, str]]) -> None:  # type: ignore[type-arg]
    """No text makes training and serving differ."""
    from model.data.cleaning import clean_description, clean_title

    titles = [clean_title(title) for title, _ in texts]
    assert _difference(fitted, titles, [clean_description(text) for _, text in texts]) < 1e-5


def test_the_answer_to_a_row_does_not_depend_on_its_batch(fitted: tuple) -> None:  # type: ignore[type-arg]
    """A row alone and among others has the same answer."""
    from model.tensorflow import tensorflow

    tf, network = tensorflow(), fitted[2]
    together = network(tf.constant(NEW), tf.constant(NEW[::-1])).numpy()
    alone = [network(tf.constant([a]), tf.constant([b])).numpy()[0] for a, b in zip(NEW, NEW[::-1], strict=True)]

    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1, atol=1e-6)


def test_a_character_ngram_stays_within_its_word() -> None:
    """The n-grams of two words are those of each, as scikit-learn's char_wb has them."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    from model.text.features import read

    expected = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)).build_analyzer()
    texts = ["thé vert", "a bc", "soupe"]
    corpus = read(texts, [""] * 3)
    counts = (corpus.words["title"] @ corpus.parts["chars"]).sum(axis=1).ravel().tolist()[0]

    assert [len(expected(text)) for text in texts] == counts


def test_a_title_begins_with_its_first_words() -> None:
    """Its first word and its first two, together, are features; a title of one word has one, an empty one none."""
    from model.text.features import read

    starts = read(["jus", "", "jus de pomme", "jus de", "de jus"], [""] * 5).phrases["title", "start"].toarray()

    assert [1, 0, 2, 2, 2] == starts.sum(axis=1).tolist()
    assert np.array_equal(starts[2], starts[3])
    assert 0 == starts[4] @ starts[3]


def test_the_fit_ends_where_any_other_would() -> None:
    """The weights are the solution of the convex problem that liblinear solves, classes without rows apart."""
    from sklearn.svm import LinearSVC

    from model.text.features import Block, Idf, read
    from model.text.fitting import PENALTY, fit_one_vs_rest
    from model.text.views import VIEWS

    corpus = read(TITLES, DESCRIPTIONS)
    blocks = [Block(corpus, view, Idf.fit(corpus, view)) for view in VIEWS]
    coefficients, bias = fit_one_vs_rest(blocks, TRUTH, 4, tolerance=1e-5)
    features = np.hstack([block.margins(np.eye(block.width, dtype=np.float32)) for block in blocks])
    rival = LinearSVC(C=PENALTY, tol=1e-8, max_iter=100_000, random_state=0).fit(features, TRUTH)

    np.testing.assert_allclose(rival.coef_.T, np.concatenate(coefficients)[:, :3], atol=1e-4)
    np.testing.assert_allclose(rival.intercept_, bias[:3], atol=1e-4)
    assert bias[3] < -0.4


def test_a_single_category_is_refused() -> None:
    """There is nothing to tell apart."""
    from model.errors import DataInvalid
    from model.text.fit import fit_text

    with pytest.raises(DataInvalid, match="single category"):
        fit_text(Rows(["a", "b"], ["", ""]), np.array([1, 1]), 2, seed=0, progress=lambda _: None)


def test_the_savedmodel_has_fixed_inputs_and_outputs(saved: Path) -> None:
    """Any TensorFlow can serve it: two strings in, log-probabilities out."""
    from model.tensorflow import tensorflow

    tf = tensorflow()
    serve = tf.saved_model.load(str(saved)).signatures["serve"]
    answer = serve(title=tf.constant(TITLES), description=tf.constant(DESCRIPTIONS))

    assert {"title", "description"} == set(serve.structured_input_signature[1])
    assert {"log_probabilities"} == set(answer)
    assert TRUTH.tolist() == answer["log_probabilities"].numpy().argmax(axis=1).tolist()


def test_a_full_disk_is_an_oserror(fitted: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # type: ignore[type-arg]
    """TensorFlow has a class of its own for it; the command line knows the operating system's."""
    import errno

    from model.tensorflow import tensorflow
    from model.text.network import export

    def full(*_: object, **__: object) -> None:
        raise tensorflow().errors.ResourceExhaustedError(None, None, "variables; No space left on device")

    monkeypatch.setattr(tensorflow().saved_model, "save", full)
    with pytest.raises(OSError, match="No space left") as caught:
        export(fitted[2], tmp_path / "text")
    assert errno.ENOSPC == caught.value.errno


def test_what_was_fitted_answers_as_what_is_served(fitted: tuple, saved: Path) -> None:  # type: ignore[type-arg]
    """Without the network; held-out answers decide what the served ones mean."""
    from model.text.fit import FittedText
    from model.text.stage import TextStage

    rows = Rows(NEW, NEW[::-1])

    np.testing.assert_allclose(
        TextStage(saved).log_probabilities(rows),
        FittedText(fitted[0], fitted[1], []).log_probabilities(rows),
        atol=1e-5,
    )


def test_a_fit_may_begin_with_the_weights_of_a_saved_stage(fitted: tuple, saved: Path) -> None:  # type: ignore[type-arg]
    """A saved stage gives back what was fitted, class by class in any order; of a class that it lacks nothing."""
    from model.stages import Former
    from model.text.start import weights_of

    views, bias, _ = fitted
    former = Former(saved, (2, -1, 0, 1))
    begun = weights_of(former, [fit.view for fit in views], [fit.idf for fit in views])

    assert begun is not None
    coefficients, biases = begun
    np.testing.assert_allclose([bias[2], 0, bias[0], bias[1]], biases, atol=1e-6)
    for fit, found in zip(views, coefficients, strict=True):
        np.testing.assert_allclose(fit.coefficients[:, [2, 0, 1]], found[:, [0, 2, 3]], atol=1e-5)
        assert not found[:, 1].any()
    assert weights_of(former, [fit.view for fit in views[1:]], [fit.idf for fit in views[1:]]) is None


def test_where_a_fit_begins_does_not_matter() -> None:
    """From anywhere it ends at the same weights."""
    from model.text.features import Block, Idf, read
    from model.text.fitting import fit_one_vs_rest
    from model.text.views import VIEWS

    corpus = read(TITLES, DESCRIPTIONS)
    blocks = [Block(corpus, view, Idf.fit(corpus, view)) for view in VIEWS]
    coefficients, bias = fit_one_vs_rest(blocks, TRUTH, 3, tolerance=1e-5)
    elsewhere = [np.ones_like(part) for part in coefficients], np.ones_like(bias)

    for start in (elsewhere, (coefficients, bias)):
        again, biases = fit_one_vs_rest(blocks, TRUTH, 3, tolerance=1e-5, start=start)
        np.testing.assert_allclose(np.concatenate(coefficients), np.concatenate(again), atol=1e-4)
        np.testing.assert_allclose(bias, biases, atol=1e-4)


def test_a_few_new_rows_are_learned_from_where_a_fit_begins() -> None:
    """One that the former weights have wrong is right, although nearly all that there is to fit was fitted before."""
    from model.text.features import Block, Idf, read
    from model.text.fitting import fit_one_vs_rest
    from model.text.views import VIEWS

    titles = [f"{word} {n}" for n in range(60) for word in ("thé", "jus")] + ["jus vert de feuilles"]
    corpus, truth = read(titles, [""] * len(titles)), np.array([0, 1] * 60 + [0])
    blocks = [Block(corpus, view, Idf.fit(corpus, view)) for view in VIEWS]
    former = fit_one_vs_rest(blocks, np.append(truth[:-1], 1), 2)

    def lead(parts: list[Any], bias: Any) -> float:
        margins = bias + sum(block.margins(part)[-1] for block, part in zip(blocks, parts, strict=True))
        return float(margins[0] - margins[1])

    assert lead(*former) < 0 < lead(*fit_one_vs_rest(blocks, truth, 2, start=former, tolerance=0.1))
