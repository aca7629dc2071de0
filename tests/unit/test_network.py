"""The network: what training computes is what serving computes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too

TITLES = ["thé vert bio", "soupe de potiron", "jus d'orange", "thé noir", "soupe à l'oignon", "jus de pomme"]
DESCRIPTIONS = ["", "potiron, eau, sel", "orange orange orange", "", "oignon", ""]
TRUTH = np.array([0, 1, 2, 0, 1, 2])
NEW = ["thé vert thé vert", "xylophone", "", "jus 日本茶 d'orange", "oignons frits, sauce soja", "!!", "é" * 900]


def _fitted() -> tuple:  # type: ignore[type-arg] # TensorFlow ships no types
    from model.text.features import Idf, count_ngrams, vocabulary
    from model.text.fitting import fit_linear
    from model.text.network import NgramNetwork, Weights

    counts = count_ngrams(TITLES, DESCRIPTIONS)
    idf = Idf.fit(counts)
    coefficients, bias = fit_linear(idf.weigh(counts), TRUTH, 3, seed=0)
    known = vocabulary(TITLES, DESCRIPTIONS, 8)  # some words are known, others are spelled out
    return idf, coefficients, bias, NgramNetwork(Weights(idf, coefficients, bias, known))


@pytest.fixture(scope="module")
def fitted() -> tuple:  # type: ignore[type-arg]
    """Weights, and the network made of them."""
    return _fitted()


def _difference(fitted: tuple, titles: list[str], descriptions: list[str]) -> float:  # type: ignore[type-arg]
    from model.tensorflow import tensorflow
    from model.text.features import count_ngrams

    idf, coefficients, bias, network = fitted
    tf = tensorflow()
    trained = idf.weigh(count_ngrams(titles, descriptions)) @ coefficients + bias
    served = network.margins(tf.constant(titles), tf.constant(descriptions)).numpy()
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

    tf, network = tensorflow(), fitted[3]
    together = network(tf.constant(NEW), tf.constant(NEW[::-1])).numpy()
    alone = [network(tf.constant([a]), tf.constant([b])).numpy()[0] for a, b in zip(NEW, NEW[::-1], strict=True)]

    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1, atol=1e-6)


def test_a_character_ngram_stays_within_its_word() -> None:
    """The n-grams of two words are those of each, as scikit-learn's char_wb has them."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    from model.text.features import count_ngrams

    expected = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)).build_analyzer()
    texts = ["thé vert", "a bc", "soupe"]
    counts = count_ngrams(texts, [""] * 3).chars.sum(axis=1).ravel().tolist()[0]

    assert [len(expected(text)) for text in texts] == counts


def test_the_savedmodel_has_fixed_inputs_and_outputs(fitted: tuple, tmp_path: Path) -> None:  # type: ignore[type-arg]
    """Any TensorFlow can serve it: two strings in, log-probabilities out."""
    from model.tensorflow import tensorflow
    from model.text.network import export

    export(fitted[3], tmp_path / "text")
    tf = tensorflow()
    serve = tf.saved_model.load(str(tmp_path / "text")).signatures["serve"]
    answer = serve(title=tf.constant(TITLES), description=tf.constant(DESCRIPTIONS))

    assert {"title", "description"} == set(serve.structured_input_signature[1])
    assert {"log_probabilities"} == set(answer)
    assert TRUTH.tolist() == answer["log_probabilities"].numpy().argmax(axis=1).tolist()


def test_a_full_disk_is_an_oserror(fitted: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # type: ignore[type-arg]
    """TensorFlow has a class of its own for it; the command line knows the operating system's."""
    import errno

    from model.tensorflow import keras, tensorflow
    from model.text.network import export

    def full(*_: object, **__: object) -> None:
        raise tensorflow().errors.ResourceExhaustedError(None, None, "variables; No space left on device")

    monkeypatch.setattr(type(keras().export.ExportArchive()), "write_out", full)
    with pytest.raises(OSError, match="No space left") as caught:
        export(fitted[3], tmp_path / "text")
    assert errno.ENOSPC == caught.value.errno
