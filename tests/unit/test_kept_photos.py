"""Photos that events only name: the archive puts them into the image store."""

import io
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import orjson
import pytest
from PIL import Image
from structlog.testing import capture_logs

from infra.images import ImageStore
from infra.photos import Photos
from infra.stored_items import content_of
from model.shelves import TaxonomyInForce
from schemas.content import key_of
from schemas.product import Product
from streams import kept_photos
from streams.archive import ArchiveStage
from streams.items import Document
from streams.photos import PhotoReader
from tests.records import record


def _photo(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


RED = _photo("red")
HASH = sha256(RED).hexdigest()


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    """An image store."""
    return ImageStore(tmp_path / "images")


@pytest.fixture
def reader(images: ImageStore, tmp_path: Path) -> PhotoReader:
    """Reads from one root, which has a photo and a file that is none."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "red.png").write_bytes(RED)
    (root / "notes.txt").write_text("no photo", encoding="utf-8")
    return PhotoReader(Photos([str(root)], images))


async def _archived(images: ImageStore, reader: PhotoReader | None, *photos: dict[str, str]) -> list[Document]:
    stage = ArchiveStage(Mock(spec=[]), images, AsyncMock(), 1, Mock(spec=TaxonomyInForce), reader)
    values: list[dict[str, Any]] = [{"product_id": "1", "title": "t", "image": photo} for photo in photos]
    decoded = stage.decode([record(orjson.dumps(value), offset=number) for number, value in enumerate(values)])
    writes = await stage.work(decoded)
    return [part.value["image"] for part in writes.items]


async def test_a_photo_that_is_named_is_kept(images: ImageStore, reader: PhotoReader) -> None:
    """Its document has the hash that the image store knows it by, and goes on naming its place."""
    named, whole, missing = await _archived(
        images,
        reader,
        {"uri": "red.png", "media_type": "image/png"},
        {"base64": b64encode(RED).decode()},
        {"uri": "blue.png"},
    )

    assert {"sha256": HASH, "media_type": "image/png", "bytes": len(RED), "uri": "red.png"} == named
    assert (HASH, {"uri": "blue.png"}) == (whole["sha256"], missing)
    assert RED == images.path(HASH).read_bytes()


async def test_the_hash_comes_first(images: ImageStore, reader: PhotoReader) -> None:
    """By which a store's ``$min`` prefers it to the bare uri, so that a replay without the photo changes nothing."""
    (named,), (bare,) = [await _archived(images, one, {"uri": "red.png"}) for one in (reader, None)]

    assert next(iter(named)) < next(iter(bare))


async def test_a_photo_that_was_kept_is_the_same_content(images: ImageStore, reader: PhotoReader) -> None:
    """What a person decides of one product goes for all that say the same, whose photo has the name they gave it."""
    product = {"product_id": "1", "title": "t", "description": None, "image": {"uri": "red.png"}}
    (named,) = await _archived(images, reader, {"uri": "red.png"})

    assert key_of(Product.model_validate(product)) == content_of({**product, "image": named})


async def test_an_upload_is_named_by_its_hash(images: ImageStore, reader: PhotoReader) -> None:
    """What the gateway put into the store is found there."""
    images.put(HASH, RED)
    (uploaded,) = await _archived(images, reader, {"uri": f"sha256:{HASH}"})

    assert (HASH, len(RED)) == (uploaded["sha256"], uploaded["bytes"])


async def test_what_is_no_photo_is_not_kept(images: ImageStore, reader: PhotoReader, tmp_path: Path) -> None:
    """A stranger's event cannot have any file below a root copied; how many were not kept is told once."""
    with capture_logs() as lines:
        found = await _archived(
            images, reader, {"uri": "notes.txt"}, {"uri": "red.png"}, {"uri": "https://x.org/a.png"}
        )

    assert [{"uri": "notes.txt"}, {"uri": "https://x.org/a.png"}] == [found[0], found[2]]
    assert [images.path(HASH)] == [path for path in (tmp_path / "images").rglob("*") if path.is_file()]
    assert [("photos not kept", 2, 3)] == [(line["event"], line["count"], line["of"]) for line in lines]


async def test_photos_hold_a_batch_up_for_a_bounded_time(
    images: ImageStore, reader: PhotoReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the time is spent the rest stay where they are."""
    monkeypatch.setattr(kept_photos, "FETCH_S", -1.0)
    assert [{"uri": "red.png"}] == await _archived(images, reader, {"uri": "red.png"})


async def test_without_a_reader_photos_stay_where_they_are(images: ImageStore) -> None:
    """Nothing is read."""
    assert [{"uri": "red.png"}] == await _archived(images, None, {"uri": "red.png"})
