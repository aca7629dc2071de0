"""The classify stage without broker and model: every record ends as a prediction or as a dead letter."""

import io
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import orjson
from PIL import Image

from infra.photos import Photos
from model.classifier import Classification, Photo
from schemas.dead_letter import DeadLetter
from schemas.headers import EVENT_ID, last_text
from schemas.prediction import Category, ModelRef, Prediction
from schemas.product import Image as Photograph
from schemas.product import Product
from streams.classify import ClassifyStage
from streams.decided import DecidedContents
from streams.decode import id_of
from streams.inference import Inference
from streams.photos import AT_A_TIME, PhotoReader, parts
from tests.records import record


class OneAnswer:
    """Fails on one title, and gives all others the same answer."""

    ref = ModelRef(name="scripted", version="1")
    reads_photos = False

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:  # noqa: ARG002
        """One answer a product."""
        if any(product.title == "poison" for product in products):
            raise ValueError("no tensor for this")
        tea = Category(code="1", label="tea")
        return [Classification(tea, 0.5, [(tea, 0.5)], False, "text", ("title",), ())] * len(products)


def stage() -> ClassifyStage:
    """A stage on the scripted model; nothing is published."""
    return ClassifyStage(Inference(OneAnswer(), deadline_s=5), None)  # type: ignore[arg-type] # no broker here


async def test_each_record_ends_as_one_thing() -> None:
    """Good, bad and poisonous records side by side: each is answered once, under its own id, with its own reason."""
    good = record(b'{"product_id": "a", "title": "tea"}', offset=1)
    bad = record(b"nonsense", offset=2)
    poison = record(b'{"product_id": "b", "title": "poison"}', offset=3)
    some = stage()

    results = some.encode(await some.work(some.decode([good, bad, poison])))

    (prediction,) = results.predictions
    assert prediction.value is not None
    assert id_of(good) == Prediction.model_validate_json(prediction.value).event_id
    reasons = [DeadLetter.from_headers(letter.headers) for letter in results.dead_letters]
    assert [(2, "decode", "record-invalid"), (3, "infer", "event-poisonous")] == [
        (reason.offset, reason.stage, reason.error_class) for reason in reasons
    ]
    assert "The model fails on this product: ValueError: no tensor for this" == reasons[1].message


def test_a_condemned_record_is_a_dead_letter_unread() -> None:
    """What kills its process goes to the dead letters as it came, on its partition, and says how often it did."""
    killers = [record(b'{"product_id": "a", "title": "tea"}', partition=2, offset=7), record(b"\xff", offset=9)]

    some = stage()

    results = some.encode(some.condemn(killers, tries=3))

    assert [] == results.predictions
    assert [(2, killers[0].value), (0, b"\xff")] == [(one.partition, one.value) for one in results.dead_letters]
    for killer, letter in zip(killers, results.dead_letters, strict=True):
        reason = DeadLetter.from_headers(letter.headers)
        assert ("poison", "event-fatal", killer.offset) == (reason.stage, reason.error_class, reason.offset)
        assert "died 3 times" in reason.message
        assert id_of(killer) == last_text(letter.headers, EVENT_ID)


async def test_what_a_person_decided_is_not_asked_of_the_model() -> None:
    """Each product has its own answer, in order; one that would break the model is answered all the same."""
    decided = Mock(spec=DecidedContents)
    milk = Category(code="2", label="milk")
    answer = Classification(milk, 1.0, [(milk, 1.0)], False, "reviewer", ("title",), ())
    decided.look_up = AsyncMock(return_value={1: answer, 3: answer})
    titles = ["a", "poison", "b", "poison"]
    records = [record(orjson.dumps({"product_id": "p", "title": one}), offset=n) for n, one in enumerate(titles)]
    some = ClassifyStage(Inference(OneAnswer(), deadline_s=5), None, decided=decided)  # type: ignore[arg-type] # no broker here

    results = some.encode(await some.work(some.decode(records)))

    assert [] == results.dead_letters
    answers = [Prediction.model_validate_json(one.value or b"") for one in results.predictions]
    assert ["text", "reviewer"] * 2 == [one.decided_by for one in answers]
    assert [id_of(one) for one in records] == [one.event_id for one in answers]


class OneLook(OneAnswer):
    """A model that looks at photos, and notes what it was shown."""

    reads_photos = True

    def __init__(self) -> None:
        self.shown: list[Photo] = []

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:
        """The same answer to all."""
        assert len(products) == len(photos)
        self.shown += photos
        return super().classify(products)


async def test_photos_reach_the_model_checked_and_a_few_at_a_time(tmp_path: Path) -> None:
    """A good one as bytes, a bad one as its reason, none as none; never more in memory than may be."""
    photo = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(photo, "JPEG")
    (tmp_path / "good.jpg").write_bytes(photo.getvalue())
    (tmp_path / "bad.jpg").write_bytes(b"GIF89a")
    names = ["good.jpg", "bad.jpg", None, "gone.jpg", "../good.jpg"] + ["good.jpg"] * AT_A_TIME
    records = [
        record(orjson.dumps({"product_id": str(n), "title": "a", "image": name and {"uri": name}}), offset=n)
        for n, name in enumerate(names)
    ]
    model = OneLook()
    some = ClassifyStage(Inference(model, deadline_s=5), None, PhotoReader(Photos([str(tmp_path)])))  # type: ignore[arg-type] # no broker here

    results = some.encode(await some.work(some.decode(records)))

    assert len(names) == len(results.predictions) == len(model.shown)
    assert photo.getvalue() == model.shown[0] == model.shown[-1]
    assert isinstance(model.shown[1], str)
    assert "GIF" in model.shown[1]
    assert model.shown[2] is None
    assert ["There is no photo where the uri says.", "The photo's uri has '..' in it."] == model.shown[3:5]


def test_a_batch_is_cut_by_its_photos() -> None:
    """Each part holds at most so many photos; products without one cost nothing."""
    images = [None, *[Photograph(uri="a.jpg")] * (2 * AT_A_TIME + 1), None]
    found = list(parts(images))

    assert list(range(len(images))) == [number for part in found for number in range(len(images))[part]]
    assert [AT_A_TIME, AT_A_TIME, 1] == [sum(image is not None for image in images[part]) for part in found]
    assert [slice(0, 0)] == list(parts([]))
