"""Training: reproducible, whole, and measured on rows it did not see."""

import errno
import random
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import read_manifest
from model.comparison import measure
from model.data.labelled import LabelledData, load_labelled
from model.drift.compare import compare
from model.errors import BundleInvalid, DataInvalid
from model.reference import read_reference
from model.report.schema import TrainingReport

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too


def test_the_same_seed_gives_the_same_model(bundle: Path, small_data: Path, tmp_path: Path) -> None:
    """Two runs answer the golden inputs alike, and their weights are the same bytes."""
    from model.training import train

    again = train(load_labelled(small_data), tmp_path).manifest
    first = read_manifest(bundle)

    np.testing.assert_allclose(
        [golden.probabilities["text"] for golden in first.golden],
        [golden.probabilities["text"] for golden in again.golden],
        atol=1e-6,
    )
    assert (first.data, first.pools) == (again.data, again.pools)
    assert first.metrics == again.metrics


def test_it_learns(bundle: Path) -> None:
    """320 food names are enough to beat the commonest of 11 categories, by far."""
    manifest = read_manifest(bundle)

    assert manifest.metrics["accuracy"] > max(manifest.prior) + 0.2
    assert 0.0 < manifest.review_threshold <= 1.0


def test_the_report_says_what_was_measured(bundle: Path) -> None:
    """JSON, page and model card agree with the manifest, and tell of every stage that was tried."""
    folder, manifest = bundle / "report", read_manifest(bundle)
    report = TrainingReport.model_validate_json((folder / "report.json").read_bytes())
    page, card = ((folder / name).read_text(encoding="utf-8") for name in ("report.html", "model-card.md"))

    assert manifest.metrics == report.evaluation.metrics()
    assert manifest.data.test == sum(map(sum, report.evaluation.confusion))
    assert manifest.data.model_dump().items() <= (report.data or manifest.data).model_dump().items()
    assert [facts.name for facts in manifest.tried] == [stage.name for stage in report.stages]
    assert all(stage.rows_per_s and stage.size_bytes for stage in report.stages if stage.kept)
    for text in (f"{report.evaluation.weighted_f1:.3f}", *(score.label for score in report.evaluation.classes)):
        assert text in page
        assert text in card
    assert {"seed": 0, "test_share": 0.2}.items() <= report.settings.items()


def test_the_bundle_keeps_what_is_usual(bundle: Path) -> None:
    """Counts of its test rows, and of its answers to them, which drift is told by."""
    manifest, usual = read_manifest(bundle), read_reference(bundle)
    assert usual is not None
    assert manifest.data.test == usual.rows == sum(usual.categories["predicted"].values())
    assert set(usual.categories["predicted"]) <= {entry.code for entry in manifest.categories}
    assert [] == compare(usual, usual).drifted


def test_a_full_disk_leaves_no_bundle(small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was written before the disk was full is gone again."""
    from model import training

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training, "write_report", full)
    with pytest.raises(OSError, match="No space left"):
        training.train(load_labelled(small_data), tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_one_title_for_all_cannot_be_measured(tmp_path: Path) -> None:
    """Twins are on one side, so such data leaves nothing for the other."""
    from model.training import train

    path = tmp_path / "twins.csv"
    path.write_text("title,category\n" + "thé,a\nthé,b\n" * 40, encoding="utf-8")

    with pytest.raises(DataInvalid, match="too few different titles"):
        train(load_labelled(path), tmp_path / "models")


def test_evaluation_on_the_training_file_takes_its_test_side(bundle: Path, small_data: Path) -> None:
    """The bundle knows which rows it learned from, and gets the scores it was sealed with."""
    manifest = read_manifest(bundle)
    measured = measure(bundle, load_labelled(small_data, taxonomy=manifest.taxonomy), baseline=False)

    assert manifest.data.test == measured.evaluation.rows
    assert manifest.metrics == measured.evaluation.metrics()


def test_evaluation_needs_rows_that_were_not_seen(bundle: Path, small_data: Path, tmp_path: Path) -> None:
    """A file of training rows alone says nothing, and the error says so."""
    manifest, data = read_manifest(bundle), load_labelled(small_data)
    seen = set(np.load(bundle / "seen_keys.npy").tolist())
    lines = small_data.read_text(encoding="utf-8").splitlines()
    kept = [line for line, key in zip(lines[1:], data.keys.tolist(), strict=True) if key in seen]
    (tmp_path / "seen.csv").write_text("\n".join([lines[0], *kept]) + "\n", encoding="utf-8")

    with pytest.raises(DataInvalid, match="learned from every row"):
        measure(bundle, load_labelled(tmp_path / "seen.csv", taxonomy=manifest.taxonomy), baseline=False)


def test_two_categories_and_a_photo_that_teaches_nothing_are_no_obstacle(tmp_path: Path) -> None:
    """One broken photo among good texts: these are learned, and the report says why there is no image stage.

    The smallest taxonomy works, although one linear classifier serves both classes.
    """
    from model.training import train

    path = tmp_path / "one.csv"
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    rows = [f"thé vert numéro {n},boisson,\nlivre ancien tome {n},livre,{'a.jpg' if n == 7 else ''}" for n in range(40)]
    path.write_text("title,category,image\n" + "\n".join(rows) + "\n", encoding="utf-8")

    manifest = train(load_labelled(path), tmp_path / "models").manifest

    assert 1.0 == manifest.metrics["accuracy"]
    assert ["text"] == manifest.stages
    assert [("text", True), ("image", False)] == [(one.name, one.kept) for one in manifest.tried]


def test_photos_alone_need_somebody_who_looks_at_them(tmp_path: Path) -> None:
    """Data without a text, and no image stage: an error in words."""
    from model.kinds import Wanted
    from model.training import TrainOptions, train

    path = tmp_path / "photos.csv"
    for n in range(60):
        (tmp_path / f"{n}.jpg").write_bytes(b"no photo")
    path.write_text("image,category\n" + "\n".join(f"{n}.jpg,{n % 2}a" for n in range(60)) + "\n", encoding="utf-8")

    for wanted in (Wanted(photos=False), Wanted()):
        with pytest.raises(DataInvalid):
            train(load_labelled(path), tmp_path / "models", TrainOptions(stages=wanted))


def _two_categories(folder: Path) -> Path:
    path = folder / "two.csv"
    rows = [f"thé {'vert' if n % 3 else 'ancien'} numéro {n},boisson\nlivre ancien tome {n},livre" for n in range(40)]
    path.write_text("title,category\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_training_that_was_stopped_ends_as_it_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in a fit by chance and gone on with: the same figures, pools and answers; then nothing is left over.

    The other models that it is compared with answer the same rows, and the bundle has the parameters that made it.
    """
    from model.checkpoint import Checkpoint
    from model.held_out import Examples
    from model.parameters import FILE, nested, parameters
    from model.training import train

    data, fit = load_labelled(_two_categories(tmp_path)), Examples.fit
    options = parameters(nested({"seed": 5, "photos": False, "title_column": "title", "baseline": True}))
    whole = train(data, tmp_path / "models", options.model_copy(update={"baseline": False}))
    stops_at = random.randrange(6)
    print(f"stopped in fit {stops_at}")
    fits: list[bool] = []

    def counted(*arguments: Any) -> Any:
        fits.append(True)
        if len(fits) == stops_at + 1:
            raise KeyboardInterrupt
        return fit(*arguments)

    monkeypatch.setattr(Examples, "fit", counted)
    for end in (pytest.raises(KeyboardInterrupt), nullcontext()):
        with end, Checkpoint.open(tmp_path / "kept", data, options) as checkpoint:
            trained = train(data, tmp_path / "models", options, checkpoint=checkpoint, champion=whole.bundle)
    resumed, before = trained.manifest, whole.manifest
    rivals = {one.kind: one for one in trained.report.comparisons}

    assert 7 == len(fits)
    assert before.metrics == pytest.approx(resumed.metrics, abs=1e-6)
    assert (before.pools, before.review_threshold, before.golden) == (
        *(resumed.pools, resumed.review_threshold),
        resumed.golden,
    )
    assert [] == list((tmp_path / "kept").iterdir())
    assert options == parameters({}, trained.bundle / FILE)
    assert {"baseline", "champion"} == rivals.keys()
    assert all(one.rows == trained.evaluation.rows for one in rivals.values())
    assert rivals["champion"].accuracy == rivals["champion"].own_accuracy


def test_a_champion_that_is_broken_is_no_obstacle(small_data: Path, tmp_path: Path) -> None:
    """It is not compared with, and that is said."""
    from model.course import Course
    from model.training import TrainOptions, _rivals

    course = Course.of(load_labelled(small_data), TrainOptions())
    rivals, notes = _rivals(course, TrainOptions(), tmp_path / "nowhere", lambda _step, _part: None)

    assert [] == rivals
    assert "not compared with the champion" in notes[0]


def test_a_category_that_came_later_begins_with_nothing(bundle: Path, small_data: Path) -> None:
    """The others find themselves in the model to begin with, by code, in whatever order."""
    from model.course import Course
    from model.training import TrainOptions

    course = Course.of(load_labelled(small_data), TrainOptions())
    count = len(course.classes)
    formers = replace(course, classes=["new", *reversed(course.classes)]).formers(bundle)

    assert {"text": (bundle / "text", (-1, *reversed(range(count))))} == {
        name: (former.path, former.columns) for name, former in formers.items()
    }
    assert {} == course.formers(None)


def test_sides_are_kept_where_a_training_begins_with_a_model(bundle: Path, small_data: Path, tmp_path: Path) -> None:
    """What the model learned teaches, what it was measured by measures; only what is new is shared out."""
    from model.course import Course
    from model.training import TrainOptions

    lines = small_data.read_text(encoding="utf-8").splitlines()
    new = [f"{n},nouveau produit {n},,{lines[1].split(',')[-2]}," for n in range(50)]
    (tmp_path / "more.csv").write_text("\n".join([lines[0], *new, *lines[:0:-1]]) + "\n", encoding="utf-8")
    former, options = load_labelled(small_data), TrainOptions(seed=1)
    more = load_labelled(tmp_path / "more.csv")
    before, course = Course.of(former, TrainOptions()), Course.of(more, options, bundle)

    def keys(data: LabelledData, rows: np.ndarray[Any, Any]) -> set[int]:
        return set(data.keys[rows].tolist())

    assert keys(former, before.split.train) <= keys(more, course.split.train)
    assert keys(former, before.split.test) <= keys(more, course.split.test)
    fresh = set(more.keys.tolist()) - set(former.keys.tolist())
    assert {40, 10} == {len(fresh & keys(more, side)) for side in (course.split.train, course.split.test)}


def test_what_was_decided_can_be_kept(bundle: Path, small_data: Path, tmp_path: Path) -> None:
    """Weights of stages and thresholds are the former model's; nothing is held out, so that one fit is enough."""
    from model.training import train

    before = read_manifest(bundle)
    after = train(load_labelled(small_data), tmp_path, start=bundle, quick=True).manifest

    assert (before.pools, before.review_threshold) == (after.pools, after.review_threshold)
    assert before.metrics["accuracy"] == pytest.approx(after.metrics["accuracy"], abs=0.05)
    assert before.data == after.data


def test_what_does_not_suit_is_not_kept(bundle: Path, small_data: Path) -> None:
    """A stage that nobody wants any more, or that cannot learn a new category from where it is; another precision."""
    from model.course import Course
    from model.deciding import inherit
    from model.kinds import kinds
    from model.training import TrainOptions

    manifest, options = read_manifest(bundle), TrainOptions()
    course = Course.of(load_labelled(small_data), options)
    text = kinds(options.stages)[0]

    assert [text] == inherit(manifest, [text], course, options).kinds
    with pytest.raises(BundleInvalid, match=r"text .* is not wanted"):
        inherit(manifest, [], course, options)
    with pytest.raises(BundleInvalid, match=r"precision of 0\.95"):
        inherit(manifest, [text], course, TrainOptions(auto_accept_precision=0.9))
    with pytest.raises(BundleInvalid, match="knows other categories"):
        inherit(manifest, [replace(text, learns_on=False)], replace(course, classes=["new"]), options)


def test_what_is_private_is_nowhere_in_the_bundle(tmp_path: Path) -> None:
    """Rows that people's verdicts made are measured, and quoted neither by golden inputs nor by the report."""
    from model.training import train

    words = {"soups": "broth bisque chowder potage", "teas": "sencha oolong assam rooibos"}
    path, dice = tmp_path / "mixed.csv", random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        file.write("title,category\n")
        for number in range(160):
            code = dice.choice(list(words))  # some of them wrong, so that there are mistakes to quote
            said = code if number % 4 else dice.choice(list(words))
            whose = "zqprivate" if number % 2 else "public"
            file.write(f"{dice.choice(words[said].split())} {whose}{number},{code}\n")
    data = load_labelled(path)
    private = np.array(["zqprivate" in title for title in data.rows.raw_titles])

    bundle = train(data, tmp_path / "models", private=private).bundle

    texts = {file: file.read_bytes() for file in bundle.rglob("*") if file.is_file()}
    assert [] == [file.name for file, text in texts.items() if b"zqprivate" in text]
    report = TrainingReport.model_validate_json((bundle / "report" / "report.json").read_bytes())
    assert report.mistakes
    assert all("public" in mistake.text for mistake in report.mistakes)
    assert 1 < len([golden for golden in read_manifest(bundle).golden if "public" in golden.title])
    assert report.evaluation.rows > sum("public" in title for title in data.rows.raw_titles) * 0.15, "all are measured"
