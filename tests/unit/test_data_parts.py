"""`split_file`: four files that share no title, with the columns and the shares of the one they come from."""

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.data.cleaning import clean_title
from model.data.dataset import iter_products
from model.data.parts import PARTS, PartOptions, split_file
from model.data.photo_files import find_photo
from model.errors import DataInvalid
from model.synthetic.catalogue import Catalogue
from model.synthetic.export import write_catalogue


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of 1,200 rows."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_catalogue(Catalogue(), path, 1_200)
    return path


def test_every_row_lands_in_one_part_as_it_was(shop: Path, tmp_path: Path) -> None:
    """None is lost, doubled or changed; no title is in two parts; each category has its share in every part."""
    parts = split_file(shop, tmp_path)

    before = shop.read_text("utf-8").splitlines()
    found = [file.read_text("utf-8").splitlines() for file in parts.files.values()]
    assert [before[0]] * 4 == [lines[0] for lines in found]
    assert sorted(before[1:]) == sorted(line for lines in found for line in lines[1:])
    titles = [{clean_title(row.title) for row in iter_products(file)} for file in parts.files.values()]
    assert sum(map(len, titles)) == len(set.union(*titles))
    assert {"train": 0.65, "validation": 0.1, "test": 0.15, "unseen": 0.1} == pytest.approx(
        {part: rows.total() / 1_200 for part, rows in parts.rows.items()}, abs=0.015
    )
    whole = sum(parts.rows.values(), Counter())
    assert all(abs(parts.rows["test"][code] - 0.15 * rows) < 2 for code, rows in whole.items())


def test_the_seed_decides(shop: Path, tmp_path: Path) -> None:
    """The same one gives the same parts, another gives others."""
    test = [
        split_file(shop, tmp_path / str(number), options=PartOptions(seed=seed)).files["test"].read_bytes()
        for number, seed in enumerate((1, 1, 2))
    ]

    assert test[0] == test[1] != test[2]


def test_nothing_is_replaced_unless_told(shop: Path, tmp_path: Path) -> None:
    """Neither parts that are there nor, ever, the file itself."""
    split_file(shop, tmp_path)
    with pytest.raises(DataInvalid, match=r"train\.csv exists"):
        split_file(shop, tmp_path)
    split_file(shop, tmp_path, force=True)
    with pytest.raises(DataInvalid, match="a part of itself"):
        split_file(tmp_path / "train.csv", tmp_path, force=True)


def test_parts_that_leave_nothing_to_learn_from_are_refused(shop: Path, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(DataInvalid, match="less than 10% of the rows to train with"):
        split_file(shop, tmp_path, options=PartOptions(0.4, 0.4, 0.2))
    assert not list(tmp_path.iterdir())


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    """Numbers stay numbers, and what is missing stays missing."""
    table = pa.table({"title": [f"titre {n}" for n in range(60)], "category": [10] * 60, "price": [1.5, None] * 30})
    pq.write_table(table, tmp_path / "a.parquet")
    parts = split_file(tmp_path / "a.parquet", tmp_path / "out")

    tables = [pq.read_table(file) for file in parts.files.values()]
    assert all(table.schema == part.schema for part in tables)
    assert sorted(map(str, table.to_pylist())) == sorted(str(row) for part in tables for row in part.to_pylist())


def test_photos_come_along(tmp_path: Path) -> None:
    """Each part finds its own below its folder; what the file's folder does not hold is left out."""
    write_catalogue(Catalogue(photos=True), tmp_path / "shop.csv", 30)
    with (tmp_path / "shop.csv").open("a", encoding="utf-8") as file:
        file.write("x,Ailleurs,,10,fr,../x.jpg\n")
    parts = split_file(tmp_path / "shop.csv", tmp_path / "out")

    rows = [row for part in PARTS for row in iter_products(parts.files[part])]
    photos = [found for row in rows if isinstance(found := find_photo(tmp_path / "out", row.image), Path)]
    assert (31, 30, 30) == (len(rows), parts.photos, len(photos))
    assert all(photo.read_bytes().startswith(b"\xff\xd8") for photo in photos)


def test_the_challenge_becomes_one_file(tmp_path: Path) -> None:
    """Its codes, which lie in a file of their own, stand in a column."""
    with (tmp_path / "X_train_update.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                ["", "designation", "description", "productid", "imageid"],
                *([n, f"titre {n}", "", n, n] for n in range(40)),
            ]
        )
    with (tmp_path / "Y_train_CVw08PX.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows([["", "prdtypecode"], *([n, 10 + 30 * (n % 2)] for n in range(40))])
    parts = split_file(tmp_path, tmp_path / "out")

    rows = [row for part in PARTS for row in iter_products(parts.files[part])]
    assert {f"titre {n}": ("10", "40")[n % 2] for n in range(40)} == {str(row.title): row.category for row in rows}
    assert {"10": 20, "40": 20} == sum(parts.rows.values(), Counter())
