"""The synthetic catalogue as files: every format, photos beside it, some of them broken."""

import io
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from model.data.dataset import iter_products
from model.data.photo_files import check_photo, find_photo
from model.errors import DataInvalid
from model.synthetic.catalogue import Catalogue
from model.synthetic.export import write_catalogue


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_holds_the_same_products(tmp_path: Path, suffix: str) -> None:
    """What is read back is what was made, whatever the file."""
    path = tmp_path / f"shop{suffix}"
    write_catalogue(Catalogue(), path, 60)

    expected = [(row.id, row.title.strip(), row.description, row.category) for row in Catalogue().rows(60)]
    assert expected == [(row.id, row.title, row.description, row.category) for row in iter_products(path)]
    assert [path] == list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """File and photos, byte by byte."""
    for name in ("one", "two"):
        write_catalogue(Catalogue(seed=3, photos=True), tmp_path / name / "shop.csv", 12)

    digests = [
        [sha256(path.read_bytes()).hexdigest() for path in sorted((tmp_path / name).rglob("*")) if path.is_file()]
        for name in ("one", "two")
    ]
    assert 13 == len(digests[0])
    assert digests[0] == digests[1]


def test_photos_lie_beside_the_file_and_can_be_read(tmp_path: Path) -> None:
    """The column names each relative to the file; what is missing or broken is as much as asked for."""
    path = tmp_path / "shop.csv"
    made = write_catalogue(Catalogue(photos=True, missing_photos=0.3, broken_photos=0.2), path, 200)

    found = [find_photo(tmp_path, row.image) for row in iter_products(path)]
    states = Counter(check_photo(photo) if isinstance(photo, Path) else photo for photo in found)
    assert made.photos == 200 - states["none"]
    assert 40 < states["none"] < 80
    assert 15 < states["broken"] + states["not a photo"] < 45
    assert 200 == states["none"] + states["broken"] + states["not a photo"] + states["fine"]


def test_a_photo_is_a_small_jpeg() -> None:
    """160 to 224 pixels a side."""
    photos = [row.photo for row in Catalogue(photos=True).rows(20)]

    for photo in photos:
        assert photo is not None
        with Image.open(io.BytesIO(photo)) as image:
            assert ("JPEG", "RGB") == (image.format, image.mode)
            assert all(160 <= side <= 224 for side in image.size)
    assert 20 == len(set(photos))


def test_nothing_is_replaced_unless_told(tmp_path: Path) -> None:
    """Neither a file nor a folder of photos; a file that is cut short never takes the name."""
    path = tmp_path / "shop.csv"
    write_catalogue(Catalogue(), path, 5)
    with pytest.raises(DataInvalid, match=r"shop\.csv exists"):
        write_catalogue(Catalogue(seed=1), path, 5)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_catalogue(Catalogue(seed=1), path, 5, force=True, progress=stop)
    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    write_catalogue(Catalogue(seed=1), path, 5, force=True)
    assert before != path.read_bytes()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    with pytest.raises(DataInvalid, match=r"shop\.xlsx is none of \.csv"):
        write_catalogue(Catalogue(photos=True), tmp_path / "shop.xlsx", 5)
    assert not list(tmp_path.iterdir())
