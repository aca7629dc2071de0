"""The classifier as the streams use it."""

from pathlib import Path

import numpy as np
import pytest

from model.bundle import read_manifest
from model.cascade import Cascade
from model.classifier import NO_IMAGE_STAGE, TOP, Classifier
from model.errors import ProbabilityInvalid
from model.rows import Rows
from model.stages import LogProbabilities
from schemas.prediction import Modality
from schemas.product import Image, Product

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    """The session's bundle, loaded."""
    return Classifier.load(bundle)


def test_an_answer_is_complete(classifier: Classifier, bundle: Path) -> None:
    """Category, confidence and ranks agree, and the model says who it is."""
    answer = classifier.classify([Product(product_id="1", title="Fromage blanc nature", description="lait")])[0]

    assert (answer.category, answer.confidence) == answer.top[0]
    assert TOP == len(answer.top)
    assert sorted((share for _, share in answer.top), reverse=True) == [share for _, share in answer.top]
    assert ("title", "description") == answer.modalities
    assert "text" == answer.decided_by
    assert read_manifest(bundle).ref == classifier.ref


def test_a_batch_answers_as_its_rows_do(classifier: Classifier) -> None:
    """Any batch size gives each row its own answer, in order; none gives none."""
    products = [Product(product_id=str(n), title=f"soupe de légumes {n}" if n % 2 else f"vin {n}") for n in range(700)]
    answers = classifier.classify(products)

    assert [] == classifier.classify([])
    for number in (0, 1, 511, 512, 699):
        alone = classifier.classify([products[number]])[0]
        assert alone.category == answers[number].category
        assert alone.confidence == pytest.approx(answers[number].confidence, abs=1e-6)


def test_a_photo_alone_gets_the_prior_and_a_person(classifier: Classifier, bundle: Path) -> None:
    """Nothing is guessed from a photo that no stage reads."""
    prior = read_manifest(bundle).prior
    answer = classifier.classify([Product(product_id="1", image=Image(uri="a.jpg"))])[0]

    assert max(prior) == pytest.approx(answer.confidence)
    assert classifier.manifest.categories[int(np.argmax(prior))].code == answer.category.code
    assert ((), "prior", True) == (answer.modalities, answer.decided_by, answer.needs_review)
    assert [NO_IMAGE_STAGE] == answer.notes


def test_markup_alone_is_no_text(classifier: Classifier) -> None:
    """A title of tags is noted, and the description decides."""
    answer = classifier.classify([Product(product_id="1", title="<br>", description="eau minérale")])[0]

    assert ("description",) == answer.modalities
    assert ["title not used: nothing is left of it without its markup"] == answer.notes


def test_what_is_unsure_goes_to_review(classifier: Classifier) -> None:
    """Below the manifest's threshold a person looks."""
    answers = classifier.classify([Product(product_id=str(n), title=f"zq{n} xk{n}") for n in range(20)])

    for answer in answers:
        assert (answer.confidence < classifier.manifest.review_threshold) == answer.needs_review
    assert any(answer.needs_review for answer in answers)


def test_serving_computes_what_training_measured(classifier: Classifier) -> None:
    """The golden inputs go through the whole road and come out as in the manifest, calibrated."""
    weights = {pool.modalities: pool.weights[0] for pool in classifier.manifest.pools}
    for golden in classifier.manifest.golden:
        product = Product(product_id="1", title=golden.title, description=golden.description or None)
        answer = classifier.classify([product])[0]
        sharpened = np.array(golden.probabilities["text"]) ** weights[tuple(answer.modalities)]
        assert sharpened.max() / sharpened.sum() == pytest.approx(answer.confidence, abs=1e-5)


class BrokenStage:
    """A network that has lost its numbers."""

    name = "text"
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """Not a number, for the last row."""
        found = np.full((len(rows), 3), np.log(1 / 3), np.float32)
        found[-1] = np.nan
        return found


def test_what_is_no_number_is_no_answer(bundle: Path) -> None:
    """A broken network is an error, which finds its event by bisection, and never a prediction of NaN."""
    manifest = read_manifest(bundle)
    classifier = Classifier(manifest, Cascade([BrokenStage()], manifest.pools, [1 / 3] * 3))

    with pytest.raises(ProbabilityInvalid):
        classifier.classify([Product(product_id="1", title="thé")])
