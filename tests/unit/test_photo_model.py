"""A model of texts and photos, from the data file to the answer, which is the same on every road."""

import asyncio
import csv
import io
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from model.bundle import GOLDEN_PHOTOS, read_manifest
from model.classifier import Classification, Classifier
from model.data.labelled import LabelledData, load_labelled
from schemas.prediction import Prediction
from schemas.product import Product
from scripts.classify import command
from streams.classify import ClassifyStage
from tests.bench.bench_hostile import classify, stage_of, watched
from tests.bench.hostile import records, write_photos
from tests.records import record

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too

COLOURS = {"lamp": (220, 200, 40), "sofa": (40, 60, 200), "vase": (200, 40, 40)}
ROWS = 120


@dataclass
class Trained:
    """A bundle, and what its training measured.

    Args:
        folder: Of data file and photos.
        test: Rows of the test side.
        probabilities: Of these, when the training measured them.
    """

    folder: Path
    data: LabelledData
    bundle: Path = Path()
    test: list[int] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained on products with a title, a photo or both."""
    from model.evaluation import evaluate
    from model.golden import golden_of

    folder = tmp_path_factory.mktemp("photos")
    found = Trained(folder, load_labelled(_write(folder)))

    def golden_seen(stages: Any, rows: Any, test: Any, path: Path) -> Any:
        found.test = test.tolist()
        return golden_of(stages, rows, test, path)

    def evaluate_seen(probabilities: Any, *others: Any) -> Any:
        found.probabilities = probabilities.tolist()
        return evaluate(probabilities, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.deciding.FOLDS", 2)
        patch.setattr("model.training.golden_of", golden_seen)
        patch.setattr("model.training.evaluate", evaluate_seen)
        found.bundle = _train(found.data, folder / "models")
    return found


def _train(data: LabelledData, models_dir: Path) -> Path:
    """With a small network for the photos, as its codebooks would take longest."""
    from model.kinds import Wanted
    from model.tensorflow import keras
    from model.training import TrainOptions, train

    models_dir.mkdir()
    layers = keras().layers
    pixels = layers.Input((8, 8, 3))
    keras().Model(pixels, layers.Rescaling(1 / 255)(pixels)).save(models_dir / "eye.keras")
    return train(data, models_dir, TrainOptions(stages=Wanted(photo_weights=models_dir / "eye.keras"))).bundle


@pytest.fixture(scope="module")
def stage(trained: Trained) -> ClassifyStage:
    """The stream's stage with that model, reading photos below the data's folder."""
    return stage_of(trained.bundle, trained.folder)


def _classifier(stage: ClassifyStage) -> Classifier:
    classifier = stage._inference.classifier
    assert isinstance(classifier, Classifier)
    return classifier


def _write(folder: Path) -> Path:
    """A third of the rows without a photo, a third without a title."""
    dice = np.random.default_rng(5)
    with (folder / "shop.csv").open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(["title", "description", "image", "category"])
        for number in range(ROWS):
            name = list(COLOURS)[number % 3]
            has_title, has_photo = number // 3 % 3 != 0, number // 3 % 3 != 1
            if has_photo:
                (folder / f"{number}.jpg").write_bytes(_photo(name, dice))
            title = f"{name} {dice.integers(1_000)} cm n° {number}" if has_title else ""
            write([title, "for the house" if has_title else "", f"{number}.jpg" if has_photo else "", name])
    return folder / "shop.csv"


def _photo(name: str, dice: np.random.Generator) -> bytes:
    picture = Image.fromarray(dice.integers(90, 160, (36, 48, 3), np.uint8))
    ImageDraw.Draw(picture).rectangle((12, 9, 36, 27 if name == "vase" else 14), fill=COLOURS[name])
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def _products(trained: Trained, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of the data as producers send them."""
    some = trained.data.rows
    return [
        {
            "product_id": str(row),
            **({"title": some.raw_titles[row]} if some.raw_titles[row] else {}),
            **({"description": some.raw_descriptions[row]} if some.raw_descriptions[row] else {}),
            **({"image": {"uri": f"{row}.jpg"}} if some.photos[row] else {}),
        }
        for row in rows
    ]


def _shares(answer: Classification) -> dict[str, float]:
    return {category.code: share for category, share in answer.top}


def test_what_is_learned_from_photos_is_served(trained: Trained, stage: ClassifyStage) -> None:
    """Both stages stay; a product with nothing but a photo is answered by it, and golden photos lie in the bundle."""
    manifest = read_manifest(trained.bundle)
    row = next(row for row in trained.test if not trained.data.titles[row])
    photo = trained.data.rows.photos[row]

    answer = _classifier(stage).classify([Product.model_validate(_products(trained, [row])[0])], [photo])[0]

    assert ["text", "image"] == manifest.stages
    assert ("image", ("image",), trained.data.codes[row]) == (
        answer.decided_by,
        tuple(answer.modalities),
        answer.category.code,
    )
    assert [] == list(answer.notes)
    assert {one.photo for one in manifest.golden if one.photo} <= manifest.files.keys()
    assert any(name.startswith(GOLDEN_PHOTOS) for name in manifest.files)


def test_a_broken_photo_is_named_and_the_title_decides(stage: ClassifyStage) -> None:
    """The note has the reason, whether the photo was refused or could not be decoded."""
    content = _photo("vase", np.random.default_rng(0))
    product = Product.model_validate({"product_id": "1", "title": "vase 20 cm", "image": {"uri": "a.jpg"}})
    classifier = _classifier(stage)

    alone = classifier.classify([product])[0]
    refused, broken = classifier.classify([product] * 2, ["The photo is a GIF.", content[:30]])

    assert _shares(alone) == pytest.approx(_shares(refused), abs=1e-5)
    assert _shares(alone) == pytest.approx(_shares(broken), abs=1e-5)
    assert ["image not used: The photo is a GIF."] == refused.notes
    assert ["image could not answer, and was left out: the photo cannot be decoded"] == broken.notes


def test_a_product_has_one_answer_on_every_road(
    trained: Trained, stage: ClassifyStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, in a batch of 64, as the training measured it, through the stream, and by the command line: to 1e-5."""
    products = _products(trained, trained.test)
    codes = [entry.code for entry in read_manifest(trained.bundle).categories]
    measured = [dict(zip(codes, shares, strict=True)) for shares in trained.probabilities]
    photos = [trained.data.rows.photos[row] for row in trained.test]
    classifier, given = _classifier(stage), [Product.model_validate(product) for product in products]

    def batch(rows: Sequence[int]) -> list[dict[str, float]]:
        found = classifier.classify([given[row] for row in rows], [photos[row] for row in rows])
        return [_shares(answer) for answer in found]

    values = [orjson.dumps(product) for product in products]
    outbox = stage.encode(asyncio.run(stage.work(stage.decode([record(value) for value in values]))))
    streamed = [Prediction.model_validate_json(one.value or b"") for one in outbox.predictions]

    many = np.resize(np.arange(len(given)), 64).tolist()
    roads = {
        "alone": [batch([row])[0] for row in range(len(given))],
        "in a batch of 64": batch(many)[: len(given)],
        "through the stream": [{one.code: one.probability for one in answer.top} for answer in streamed],
        "by the command line": _by_command_line(products, photos, classifier, monkeypatch),
    }
    for road, answers in roads.items():
        assert len(measured) == len(answers), road
        for expected, answer in zip(measured, answers, strict=True):
            assert expected == pytest.approx(answer, abs=1e-5), road


def _by_command_line(
    products: Sequence[dict[str, Any]],
    photos: Sequence[bytes | None],
    classifier: Classifier,
    monkeypatch: pytest.MonkeyPatch,
) -> list[dict[str, float]]:
    """The command, with the bundle loaded already: that takes seconds."""
    lines = [
        json.dumps({**product, "image": {"base64": b64encode(photo).decode()}} if photo else product)
        for product, photo in zip(products, photos, strict=True)
    ]
    monkeypatch.setattr(Classifier, "load", lambda *_, **__: classifier)
    given = ["--json", "--model", "loaded"]
    result = CliRunner().invoke(command, given, input="\n".join(lines), catch_exceptions=False)
    answers = [json.loads(line)["top"] for line in result.stdout.splitlines()]
    return [{one["code"]: one["probability"] for one in answer} for answer in answers]


def test_nothing_that_is_sent_breaks_the_road(trained: Trained, stage: ClassifyStage) -> None:
    """Hostile texts and photos: each is classified by what is left of it, or refused by name before the model."""
    files = write_photos(trained.folder, largest=2_000)

    with watched() as memory:
        outcome = asyncio.run(classify(stage, records(7, 200, files)))

    assert 200 == outcome.records == outcome.classified.total() + outcome.refused.total()
    assert {"decode: record-invalid", "decode: record-empty"} <= outcome.refused.keys()
    assert not [reason for reason in outcome.refused if reason.startswith("infer")]
    assert {"text", "image", "prior"} == outcome.classified.keys()
    assert any("The photo is GIF" in note for note in outcome.notes)
    assert memory.growth < 600
