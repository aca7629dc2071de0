"""Training sets: what people say, once each, beside what the first model was trained on; made again, the same."""

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.images import ImageStore
from infra.settings import Settings
from infra.store import Store
from model.bundle import HELD_KEYS, DataFacts
from model.data.columns import Columns
from model.data.labelled import load_labelled
from schemas.ids import CANARY
from tests.bundles import make_bundle
from tests.shop import Shop
from workers.retrain import training_set
from workers.retrain.base_set import BaseSet, base_of, keep_base
from workers.retrain.set_errors import BaseDamaged, BaseMissing, SetChanged, SetForgotten
from workers.retrain.set_files import MANIFEST
from workers.retrain.set_forgotten import sets_with, take_out
from workers.retrain.set_manifest import SetAside
from workers.retrain.set_rows import IMAGES, ROWS, TAXONOMY, SetRow, read_rows
from workers.retrain.set_write import write_set
from workers.retrain.training_set import TrainingSet, make_set, open_set
from workers.retrain.verdict_rows import Log

WORDS = {"soups": "broth bisque chowder potage", "teas": "sencha oolong assam rooibos", "jams": "curd jelly fig plum"}


@pytest.fixture
def shop() -> Shop:
    """Nobody has said anything yet."""
    return Shop()


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    """An empty image store."""
    return ImageStore(tmp_path / "images")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A folder for sets."""
    return tmp_path / "sets"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """300 products in three categories, some with a photo."""
    path = tmp_path / "shop" / "products.csv"
    (path.parent / "images").mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(["title", "category", "image"])
        for number in range(300):
            code = list(WORDS)[number % 3]
            title = f"{WORDS[code].split()[number % 4]} number {number}"
            photo = f"{number}.jpg" if number % 45 == 0 else ""
            if photo:
                (path.parent / "images" / photo).write_bytes(b"photo" + photo.encode())
            rows.writerow([title, code, photo])
    return path


@pytest.fixture
def base(file: Path, sets: Path, images: ImageStore, tmp_path: Path) -> BaseSet:
    """Its base set; each tenth row is golden."""
    data = load_labelled(file)
    bundle = make_bundle(tmp_path / "models", "first")
    np.save(bundle / HELD_KEYS, data.keys[::10])
    return keep_base(file, Columns(), data, bundle, sets, images)


Make = Callable[..., TrainingSet]


@pytest.fixture
def make(shop: Shop, base: BaseSet, images: ImageStore, sets: Path) -> Make:
    """Makes a set of what the shop says."""

    def made(**rules: Any) -> TrainingSet:
        return make_set(shop.log, images, sets, base, Settings(**rules))

    return made


def verdicts(made: TrainingSet) -> dict[str | None, str]:
    """Category by title of the rows that verdicts made."""
    return {row.title: row.category for row in rows(made) if row.side == "verdict"}


def rows(made: TrainingSet) -> list[SetRow]:
    """All rows."""
    return list(read_rows(made.folder / ROWS))


def test_the_base_survives_its_file(base: BaseSet, file: Path, sets: Path, tmp_path: Path) -> None:
    """Whoever changes or removes what the first model was trained on takes nothing from later ones."""
    titles = [row.title for row in base.rows]
    for path in (file, *file.parent.glob("images/*")):
        path.write_bytes(b"something else")
        path.unlink()

    kept = base_of(tmp_path / "models" / "first", sets)

    assert base.version == kept.version
    assert titles == [row.title for row in kept.rows]
    assert 7 == kept.manifest.photos
    assert b"photo0.jpg" == (kept.folder / "images" / "0.jpg").read_bytes()


def test_a_base_is_kept_once(base: BaseSet, file: Path, sets: Path, images: ImageStore, tmp_path: Path) -> None:
    """A second model of the same rows, cut the same way, points to the same base."""
    data = load_labelled(file)
    bundle = make_bundle(tmp_path / "models", "second")
    np.save(bundle / HELD_KEYS, data.keys[::10])

    again = keep_base(file, Columns(), data, bundle, sets, images)

    assert base.folder == again.folder
    assert again.version == base_of(bundle, sets).version


@pytest.mark.parametrize("name", [ROWS, TAXONOMY, MANIFEST])
def test_a_damaged_base_teaches_nothing_and_is_written_again(
    name: str, base: BaseSet, file: Path, sets: Path, images: ImageStore, tmp_path: Path
) -> None:
    """A file that a loss of power has cut is named with what mends it, and that does mend it."""
    titles, whole = [row.title for row in base.rows], (base.folder / name).read_bytes()
    (base.folder / name).write_bytes(whole[: whole.index(b"\n", len(whole) // 2) + 1])
    bundle = tmp_path / "models" / "first"
    with pytest.raises(BaseDamaged, match=rf"{name} of the base set .* `aisle train DATA`"):
        _ = (base_of(bundle, sets).rows, base_of(bundle, sets).taxonomy)

    keep_base(file, Columns(), load_labelled(file), bundle, sets, images)

    assert titles == [row.title for row in base_of(bundle, sets).rows]
    assert whole == (base.folder / name).read_bytes()


def test_what_is_kept_is_on_the_disk_before_it_has_its_name(
    file: Path, sets: Path, images: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file of the base set and the pointer to it are flushed, then named, then their folders are flushed."""
    done: list[str] = []
    flush, rename, replace = os.fsync, Path.rename, Path.replace

    def name_of(path: Path) -> str:
        return path.name.split("-")[0] if path.name.startswith(("base-", ".base-")) else path.name

    def fsync(descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        done.extend(name_of(path) for path in (sets, *sets.rglob("*")) if path.stat().st_ino == inode)
        flush(descriptor)

    def named(path: Path, target: Path) -> Path:
        done.append(f"named {name_of(Path(target))}")
        return rename(path, target)

    def pointed(path: Path, target: Path) -> Path:
        done.append(f"named {name_of(Path(target))}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", named)
    data, bundle = load_labelled(file), make_bundle(tmp_path / "models", "first")
    np.save(bundle / HELD_KEYS, data.keys[::10])
    monkeypatch.setattr(Path, "replace", pointed)
    keep_base(file, Columns(), data, bundle, sets, images)

    at = {what: number for number, what in enumerate(done)}
    assert max(at[ROWS], at[TAXONOMY], at[MANIFEST], at[IMAGES], at[".base"]) < at["named base"] < at["named first"]
    assert ["sets", "of"] == [done[at["named base"] + 1], done[at["named first"] + 1]]


def test_a_retrained_model_goes_back_to_its_base(make: Make, shop: Shop, base: BaseSet, sets: Path) -> None:
    """A champion that was made of a training set has the base of that set."""
    shop.say("green gunpowder", "teas")
    made = make()
    data = make_bundle(sets.parent / "models", "unknown")
    facts = DataFacts(file=ROWS, sha256=made.manifest.data_sha256, rows=1, train=1, test=0, skipped=0)
    retrained = make_bundle(sets.parent / "models", "retrained", data=facts)

    assert base.version == base_of(retrained, sets).version
    with pytest.raises(BaseMissing, match="unknown"):
        base_of(data, sets)


def test_verdicts_join_the_base(make: Make, shop: Shop, base: BaseSet) -> None:
    """A correction teaches its code, a validation what was predicted; golden rows and the rest of the base stay."""
    shop.say("green gunpowder", "teas")
    shop.say("minestrone", None, verdict="validated")

    made = make()

    assert {"green gunpowder": "teas", "minestrone": "soups"} == verdicts(made)
    assert list(base.rows) == rows(made)[:300]
    data = made.load()
    assert (302, 30, 2) == (len(data), made.golden.sum(), made.verdicts.sum())
    assert {"green gunpowder", "minestrone"} == {data.titles[row] for row in np.flatnonzero(made.verdicts)}


def test_a_canary_teaches_nothing(make: Make, shop: Shop) -> None:
    """Whoever judges one of the monitor's own products changes no training set; a product with its texts still does."""
    shop.say("green gunpowder", "teas", product_id=f"{CANARY}7")
    shop.say("lapsang", "teas", product_id=f"{CANARY}8")
    shop.say("lapsang", "teas", product_id="mine")

    assert {"lapsang": "teas"} == verdicts(make())


def test_photos_come_along(make: Make, shop: Shop, images: ImageStore) -> None:
    """Photos of base rows and of verdicts are found below the set, by the loader that training uses."""
    images.put("ab" * 32, b"a photo of tea")
    shop.say("green gunpowder", "teas", photo="ab" * 32)
    shop.say("white tea", "teas", photo="cd" * 32)  # not in the store

    data = make().load()

    photos: Any = data.rows.photos
    assert 8 == photos.named.sum()
    paths = {photos._paths[number].read_bytes() for number in np.flatnonzero(photos.named)}
    assert {b"a photo of tea", b"photo45.jpg"} < paths


def test_what_was_taken_back_or_rejected_teaches_nothing(make: Make, shop: Shop, base: BaseSet) -> None:
    """A withdrawn verdict is as if it had not been given; what is rejected is kept apart, in the base too."""
    shop.say("green gunpowder", "teas", item="a")
    shop.say(None, None, verdict="withdrawn", item="a")
    row = next(row for row in base.rows if row.side == "base")
    said = shop.say(row.title, None, verdict="rejected", photo=row.photo)

    made = make()

    assert {} == verdicts(made)
    assert [said] == made.manifest.rejected
    assert 299 == made.manifest.rows


def test_a_persons_word_beats_the_base_and_never_the_golden_set(make: Make, shop: Shop, base: BaseSet) -> None:
    """What measures stays as it is; that people call it something else is listed."""
    own = next(row for row in base.rows if row.side == "base" and not row.photo)
    golden = next(row for row in base.rows if row.side == "golden" and not row.photo)
    shop.say(own.title, "jams" if own.category != "jams" else "teas")
    said = shop.say(golden.title, "jams" if golden.category != "jams" else "teas", "bob")

    made = make()

    assert [own.title] == list(verdicts(made))
    assert [said] == [one.feedback_id for one in made.manifest.disputed]
    assert golden in rows(made)
    assert own not in rows(made)
    assert 300 == made.manifest.rows


def test_no_verdict_pulls_a_golden_row_to_the_other_side(make: Make, shop: Shop, base: BaseSet) -> None:
    """A split keeps together what a title or a photo joins; golden rows would teach if a product joined them so."""
    golden, further = [row for row in base.rows if row.side == "golden" and row.photo][:2]
    other = next(row for row in base.rows if row.side == "base" and row.photo)
    one, own = [row for row in base.rows if row.side == "base" and not row.photo][:2]
    shop.say("green gunpowder", further.category, photo=further.photo)
    shop.say(one.title, one.category, photo=other.photo)
    out = shop.say(own.title, own.category, photo=golden.photo)

    made = make()

    assert [out] == made.manifest.joining
    assert {"green gunpowder", one.title} == set(verdicts(made))
    data = made.load()
    learned = [row.side == "base" for row in rows(made)]
    assert not set(data.groups[made.golden].tolist()) & set(data.groups[learned].tolist())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("ann", "teas"), ("bob", "jams")], "jams"),
        ([("ann", "teas"), ("bob", "teas"), ("cyd", "jams")], "teas"),
        ([("ann", "teas"), ("bob", "jams"), ("ann", "teas"), ("cyd", "soups")], "soups"),
        ([("ann", "teas"), ("ann", "jams"), ("bob", "teas"), ("cyd", "teas"), ("cyd", "jams")], "jams"),
    ],
)
def test_where_people_differ(make: Make, shop: Shop, said: Iterable[tuple[str, str]], expected: str) -> None:
    """More than half of them are right, each by their last word; else the last one is."""
    for by, code in said:
        shop.say("green gunpowder", code, by, item="a")

    assert {"green gunpowder": expected} == verdicts(make())


def test_a_flood_counts_once(make: Make, shop: Shop) -> None:
    """The same correction a hundred times, some with other capitals and punctuation, is one row."""
    for number in range(100):
        shop.say(("Green GUNPOWDER" if number % 2 else "green gunpowder") + "!" * (number % 7), "teas")

    made = make()

    assert 1 == len(verdicts(made))
    assert 13 == made.manifest.repeats  # contents; what one person says of one content is one word anyway


def test_codes_outside_the_taxonomy_are_named(make: Make, shop: Shop, tmp_path: Path) -> None:
    """Nothing learns a category that there is not; once the taxonomy has it, it teaches."""
    said = shop.say("rye loaf", "breads")
    made = make()

    assert {"breads": [said]} == made.manifest.outside
    assert {} == verdicts(made)

    taxonomy = tmp_path / "taxonomy.csv"
    taxonomy.write_text("code,label\nbreads,Breads\nsoups,Soups of the day\n")
    data = make(taxonomy=taxonomy).load()

    assert ["rye loaf"] == [data.titles[row] for row in np.flatnonzero(data.codes == "breads")]
    assert "Soups of the day" == data.taxonomy.category("soups").label


def test_a_set_is_made_again_byte_by_byte(make: Make, shop: Shop, images: ImageStore, base: BaseSet) -> None:
    """From base and ids alone: whatever was said since changes nothing."""
    images.put("ab" * 32, b"a photo of tea")
    shop.say("green gunpowder", "teas", photo="ab" * 32)
    shop.say("minestrone", None, verdict="validated")
    made = make()
    before = {path.name: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    for name in (ROWS, TAXONOMY):
        (made.folder / name).unlink()
    for path in (made.folder / IMAGES).iterdir():
        path.unlink()
    (made.folder / IMAGES).rmdir()
    shop.say("green gunpowder", "jams", "bob")

    training_set._again(made, shop.log, images, base)

    assert before == {path.name: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    assert made.manifest.data_sha256 == made.load().sha256
    assert make().version != made.version


def test_of_old_sets_the_manifests_stay(monkeypatch: pytest.MonkeyPatch, make: Make, shop: Shop) -> None:
    """Each has the whole base set, and would fill the disk; it can be made again."""
    monkeypatch.setattr(training_set, "KEPT", 2)
    made = []
    for number in range(4):
        shop.say(f"green gunpowder {number}", "teas")
        made.append(make())

    assert [False, False, True, True] == [(one.folder / ROWS).exists() for one in made]
    assert [1, 2, 3, 4] == [len(one.manifest.verdicts) for one in made]
    del shop.documents[1:]
    assert made[0].folder == make().folder
    assert (made[0].folder / ROWS).exists()


def test_what_was_forgotten_is_named(make: Make, shop: Shop, images: ImageStore, base: BaseSet) -> None:
    """A set whose products are gone, or have changed, is refused in words, and never made from something else."""
    said = shop.say("green gunpowder", "teas", item="a")
    made = make()
    shop.items["a"] = {"product": {"title": "something else"}}
    with pytest.raises(SetChanged, match="something else by now"):
        training_set._again(made, shop.log, images, base)

    del shop.items["a"]
    with pytest.raises(SetChanged, match=said):
        training_set._again(made, shop.log, images, base)


async def test_what_is_forgotten_while_a_set_is_made_again_is_not_in_it(
    make: Make, shop: Shop, images: ImageStore, sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever took it out saw no rows yet: they are not left behind by who wrote them."""
    gone = shop.say("a secret broth", "soups")
    shop.say("assam gold", "teas")
    made = make()
    (made.folder / ROWS).unlink()

    async def log(_store: Store) -> Log:
        return shop.log

    def overtaken(*arguments: Any, **options: Any) -> None:
        take_out(made.folder, [gone])
        write_set(*arguments, **options)

    monkeypatch.setattr(training_set, "read_log", log)
    monkeypatch.setattr(training_set, "write_set", overtaken)
    with pytest.raises(SetForgotten):
        await training_set.rebuild(Store("mongodb://127.0.0.1:1", "none"), images, sets, made.version)
    assert "secret" not in (made.folder / ROWS).read_text(encoding="utf-8")


def test_a_set_that_lost_rows_by_request_says_so(
    make: Make, shop: Shop, images: ImageStore, sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows and photo are gone, wherever that was cut off; it is neither trained on nor made again as another."""
    images.put("ab" * 32, b"a photo")
    gone = shop.say("a secret broth", "soups", photo="ab" * 32)
    shop.say("assam gold", "teas")
    made = make()
    assert [made.folder] == list(sets_with(sets, [gone, "another"]))

    def killed(*_: Any) -> str:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("workers.retrain.set_forgotten.write_rows", killed)
        with pytest.raises(RuntimeError, match="killed"):
            take_out(made.folder, [gone])
    assert not (made.folder / IMAGES / ("ab" * 32)).exists(), "the rows lead to it: they go last"
    for _ in range(2):
        take_out(made.folder, [gone])

    again = open_set(sets, made.version)
    assert {"assam gold": "teas"} == verdicts(again)
    assert not (again.folder / IMAGES / ("ab" * 32)).exists()
    assert ([gone], made.version) == (again.manifest.forgotten, again.manifest.version)
    with pytest.raises(SetForgotten, match=r"1 of 2 verdicts .* forgotten by request"):
        again.load()
    with pytest.raises(SetForgotten):
        again.manifest.check_whole()


def test_rows_that_were_changed_are_refused(make: Make, shop: Shop) -> None:
    """A training on rows that are not what the manifest says would be nobody's."""
    shop.say("green gunpowder", "teas")
    made = make()
    path = made.folder / ROWS
    path.write_bytes(path.read_bytes().replace(b"gunpowder", b"gunpowders"))

    with pytest.raises(SetChanged, match="not what was written"):
        made.load()


def test_old_rows_are_replayed_by_category(monkeypatch: pytest.MonkeyPatch, make: Make, shop: Shop) -> None:
    """Above the limit a sample of each category stays, and every golden row; a larger sample has all of a smaller."""
    monkeypatch.setattr("workers.retrain.set_choice.REPLAY_ROWS", 60)
    monkeypatch.setattr("workers.retrain.set_choice.REPLAY_CLASS_ROWS", 5)
    shop.say("green gunpowder", "teas")
    small = make()
    for number in range(9):
        shop.say(f"green gunpowder of {number} leaves", "teas")
    large = make()

    assert {"soups": 20, "teas": 20, "jams": 20} == small.manifest.counts["base"]
    assert 30 == sum(small.manifest.counts["golden"].values())
    assert {"soups": 33, "teas": 33, "jams": 33} == large.manifest.counts["base"]
    assert set(large.manifest.left_out) < set(small.manifest.left_out)


def test_an_author_at_odds_with_the_golden_set_is_set_aside(make: Make, shop: Shop, base: BaseSet) -> None:
    """Their other verdicts teach nothing, and the manifest names them with the figures; others are heard."""
    for row in [row for row in base.rows if row.side == "golden"][:10]:
        shop.say(row.title, "jams" if row.category != "jams" else "teas", "eve", photo=row.photo)
        shop.say(row.title, row.category, "ann", photo=row.photo)
    shop.say("green gunpowder", "jams", "eve")
    shop.say("minestrone", "soups", "ann")

    made = make()

    assert {"minestrone": "soups"} == verdicts(made)
    assert [("eve", 11)] == [(one.who, one.verdicts) for one in made.manifest.set_aside]
    assert "10 of 10 verdicts on golden products say something else" in made.manifest.set_aside[0].reason
    assert "eve" in made.manifest.summary()


def test_of_a_swap_only_its_verdicts_are_left_out(monkeypatch: pytest.MonkeyPatch, make: Make, shop: Shop) -> None:
    """Whoever gave them is heard on everything else."""
    out = shop.say("green gunpowder", "jams")
    shop.say("minestrone", "soups")
    pair = SetAside(who="jams and teas", kind="categories", reason="", verdicts=1, feedback_ids=[out])
    monkeypatch.setattr(training_set, "set_aside", lambda *_: [pair])

    made = make()

    assert {"minestrone": "soups"} == verdicts(made)
    assert [pair] == made.manifest.set_aside
