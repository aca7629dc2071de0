"""The image stage: a photo's answer is its own, a broken one costs no other, and what is saved is what was trained."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from model.errors import DataInvalid, WeightsInvalid
from model.image.check import checked
from model.rows import Rows

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too

COLOURS = ((200, 30, 30), (30, 160, 40), (40, 60, 200))


def photo(label: int, seed: int, kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (48, 36)) -> bytes:
    """A coloured shape on noise: red discs, green squares, blue bars."""
    noise = np.random.default_rng(seed).integers(90, 160, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(noise)
    box = (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4 if label < 2 else size[1] // 3)
    draw = ImageDraw.Draw(picture)
    (draw.ellipse if label == 0 else draw.rectangle)(box, fill=COLOURS[label])
    file = io.BytesIO()
    picture.convert(mode).save(file, kind)
    return file.getvalue()


def rows_of(photos: Sequence[bytes | None]) -> Rows:
    """Products that have nothing but a photo."""
    return Rows([""] * len(photos), [""] * len(photos), photos)


TRUTH = np.arange(18) % 3
PHOTOS: list[bytes | None] = [photo(int(label), seed) for seed, label in enumerate(TRUTH)]
NEW: list[bytes | None] = [photo(seed % 3, 100 + seed) for seed in range(6)]


@pytest.fixture(scope="module")
def stage() -> Any:
    """A stage trained on a few drawn photos, with small codebooks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.image.features.COMPONENTS", 4)
        patch.setattr("model.image.features._SAMPLE_SQUARES", 2_000)
        return _fit(PHOTOS, TRUTH)


def _fit(photos: Sequence[bytes | None], truth: np.ndarray, weights: Path | None = None) -> Any:
    from model.image.training import fit

    return fit(rows_of(photos), truth, 3, weights=weights, seed=0)


def test_it_learns_from_photos_alone(stage: Any) -> None:
    """New photos of the same kinds are told apart; the answers are probabilities."""
    answers = stage.log_probabilities(rows_of(NEW))
    assert [0, 1, 2, 0, 1, 2] == answers.argmax(axis=1).tolist()
    np.testing.assert_allclose(np.exp(answers).sum(axis=1), 1, atol=1e-5)


def test_the_answer_to_a_photo_does_not_depend_on_its_batch(stage: Any) -> None:
    """Alone, and in a batch of 64, it is the same to 1e-5."""
    many = (NEW * 11)[:64]
    together = stage.log_probabilities(rows_of(many))
    for number in (0, 5, 63):
        alone = stage.log_probabilities(rows_of([many[number]]))[0]
        # The logarithm of what is all but impossible lies beyond -100, where float32 is exact to 8e-6 at best.
        np.testing.assert_allclose(together[number], alone, atol=1e-5, rtol=1e-6)


def test_a_broken_photo_costs_no_other_its_answer(stage: Any) -> None:
    """It is named, and has no answer of its own."""
    cut = photo(0, 1, "PNG")
    broken: list[bytes | None] = [None, b"", b"\xff\xd8\xff\xe0 no photo", cut[: len(cut) // 2], b"GIF89a"]
    answers = stage.answers(rows_of([*broken, *NEW]))

    assert [False] * len(broken) + [True] * len(NEW) == answers.readable.tolist()
    np.testing.assert_allclose(
        answers.log_probabilities[len(broken) :], stage.log_probabilities(rows_of(NEW)), atol=1e-5
    )
    np.testing.assert_allclose(np.exp(answers.log_probabilities[: len(broken)]), 1 / 3, atol=1e-5)
    assert np.isnan(stage.log_probabilities(rows_of(broken))).all()


@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [
        pytest.param("JPEG", "L", (48, 36), id="grey"),
        pytest.param("JPEG", "CMYK", (48, 36), id="cmyk"),
        pytest.param("PNG", "RGBA", (48, 36), id="alpha"),
        pytest.param("PNG", "I;16", (48, 36), id="16-bit"),
        pytest.param("PNG", "P", (48, 36), id="palette"),
        pytest.param("PNG", "1", (48, 36), id="1-bit"),
        pytest.param("WEBP", "RGB", (48, 36), id="webp"),
        pytest.param("JPEG", "RGB", (1, 1), id="1 x 1"),
        pytest.param("PNG", "RGB", (3_000, 2), id="a line"),
        pytest.param("JPEG", "RGB", (1_400, 1_400), id="large"),
    ],
)
def test_every_kind_of_photo_is_decoded(stage: Any, kind: str, mode: str, size: tuple[int, int]) -> None:
    """Whatever passes the checks, and of a JPEG that is cut off what is left."""
    content = checked(photo(1, 3, kind, mode, size))
    some: list[bytes | None] = [content]
    if kind == "JPEG" and size[0] > 1:
        some.append(checked(content[: len(content) * 3 // 4]))
    answers = stage.answers(rows_of(some))
    assert answers.readable.all()
    assert np.isfinite(answers.log_probabilities).all()


def test_the_saved_stage_answers_as_the_trained_one(stage: Any, tmp_path: Path) -> None:
    """To 1e-5, broken photos too."""
    from model.image.stage import PhotoStage

    stage.save(tmp_path / "image")
    loaded = PhotoStage.load(tmp_path / "image")
    some = rows_of([*NEW, b"broken"])

    np.testing.assert_allclose(loaded.log_probabilities(some), stage.log_probabilities(some), atol=1e-5, rtol=1e-6)
    assert stage.answers(some).readable.tolist() == loaded.answers(some).readable.tolist()
    assert ("image", frozenset({"image"})) == (loaded.name, loaded.reads)


def test_without_a_photo_there_is_nothing_to_learn() -> None:
    """Rows without photos, and photos that cannot be decoded, are refused with the reason."""
    nothing: tuple[list[bytes | None], ...] = ([], [None, None])
    for none in nothing:
        with pytest.raises(DataInvalid, match="No row has a photo"):
            _fit(none, np.array([0, 1])[: len(none)])
    with pytest.raises(DataInvalid, match="can be decoded"):
        _fit([b"no", b"photos"], np.array([0, 1]))


def test_a_network_of_ones_own_gives_the_features(tmp_path: Path) -> None:
    """A network saved as .keras is used as it is; a file that is none is refused by name."""
    from model.tensorflow import keras

    layers = keras().layers
    pixels = layers.Input((8, 8, 3))
    keras().Model(pixels, layers.Rescaling(1 / 255)(pixels)).save(tmp_path / "own.keras")
    stage = _fit(PHOTOS, TRUTH, tmp_path / "own.keras")
    assert [0, 1, 2, 0, 1, 2] == stage.log_probabilities(rows_of(NEW)).argmax(axis=1).tolist()

    with pytest.raises(DataInvalid, match="single category"):
        _fit(PHOTOS, np.zeros(len(PHOTOS), np.int64), tmp_path / "own.keras")

    (tmp_path / "no.keras").write_bytes(b"no network")
    for name in ("no.keras", "absent.h5"):
        with pytest.raises(WeightsInvalid, match=name):
            _fit(PHOTOS, TRUTH, tmp_path / name)


def test_many_photos_train_a_convolutional_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its features are what the head learns from; the photos are read a batch at a time, broken ones weigh nothing."""
    from model.tensorflow import keras

    def tiny(weights: Path | None) -> Any:  # to build and to trace the real one takes 30 s
        assert weights is None
        layers = keras().layers
        return keras().Sequential([layers.Input((32, 32, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])

    monkeypatch.setattr("model.image.convolutional._small", tiny)
    monkeypatch.setattr("model.image.convolutional.SIDE", 32)
    monkeypatch.setattr("model.image.convolutional.MAX_PASSES", 1)
    monkeypatch.setattr("model.image.training.MANY_PHOTOS", 2)
    stage = _fit([*PHOTOS, None, b"broken"], np.append(TRUTH, [0, 1]))
    assert np.isfinite(stage.log_probabilities(rows_of(NEW))).all()
