"""Photos that events name: read from below the configured roots and from nowhere else."""

import os
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest

from infra.errors import PhotoMissing, PhotoOversize, PhotoRefused, PhotoUnavailable, SettingsInvalid
from infra.images import ImageStore
from infra.photo_roots import DirectoryRoot
from infra.photos import Photos
from schemas.errors import AisleError
from schemas.limits import MAX_PHOTO_BYTES
from schemas.product import Image

PHOTO = b"\xff\xd8\xff the photo"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one photo, beside a secret."""
    (tmp_path / "secret").write_bytes(b"the secret")
    path = tmp_path / "root"
    (path / "shop").mkdir(parents=True)
    (path / "shop" / "a.jpg").write_bytes(PHOTO)
    return path


@pytest.fixture
def photos(root: Path) -> Iterator[Photos]:
    """A reader of that root."""
    reader = Photos([str(root)])
    yield reader
    reader.close()


@pytest.fixture
def store() -> Iterator[str]:
    """An object store in memory with one photo below the prefix and one beside it."""
    files = fsspec.filesystem("memory")
    files.pipe("/bucket/prefix/a.jpg", PHOTO)
    files.pipe("/bucket/prefixed/b.jpg", b"the secret")
    yield "memory://bucket/prefix"
    files.rm("/bucket", recursive=True)


def read(photos: Photos, uri: str) -> bytes:
    """The photo of a uri."""
    return photos.read_one(Image(uri=uri))


def test_a_photo_below_a_root_is_read(photos: Photos, root: Path) -> None:
    """By its relative path, its absolute one, and its file:// uri."""
    for uri in ("shop/a.jpg", f"{root}/shop/a.jpg", f"file://{root}/shop/a.jpg", "./shop//a.jpg"):
        assert PHOTO == read(photos, uri), uri


def test_a_photo_in_place_is_decoded(photos: Photos) -> None:
    """Base64 needs no root; what is none is refused."""
    assert PHOTO == photos.read_one(Image(base64=b64encode(PHOTO).decode()))
    for bad in ("no base64!", "AAA", "é"):
        with pytest.raises(PhotoRefused, match="not base64"):
            photos.read_one(Image(base64=bad))


@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://example.org/a.jpg",
        "HTTPS://example.org/a.jpg",
        "ftp://example.org/a.jpg",
        "s3://bucket/a.jpg",
        "memory://bucket/prefix/a.jpg",
        "data:image/png;base64,AAAA",
        "simplecache::http://example.org/a.jpg",
        "zip://a.jpg::file:///etc/a.zip",
        "file://example.org/shop/a.jpg",
        "/etc/hostname",
        "file:///etc/hostname",
        "../secret",
        "shop/../../secret",
        "shop/..",
        "shop\\..\\..\\secret",
        "shop/a.jpg\0",
        "link",
        "folder/secret",
        "shop",
        ".",
        "pipe",
        "socket",
        "sha256:" + "0" * 64,
    ],
)
def test_what_lies_elsewhere_is_refused(photos: Photos, root: Path, uri: str) -> None:
    """No other host, no way out of the root, and no file that is none, is followed or waited for."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "folder").symlink_to(root.parent)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening, pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)  # a socket's path is short
        listening.bind("socket")
        with pytest.raises(PhotoRefused):
            read(photos, uri)


def test_a_link_within_the_root_is_followed(photos: Photos, root: Path) -> None:
    """What matters is where it ends."""
    (root / "b.jpg").symlink_to(root / "shop" / "a.jpg")
    assert PHOTO == read(photos, "b.jpg")


@pytest.mark.parametrize("uri", ["shop/b.jpg", "shop/a.jpg/b", "é" * 500, "%2e%2e/secret", "\ud800", " "])
def test_a_photo_that_is_not_there_is_named_so(photos: Photos, uri: str) -> None:
    """Nothing there, and no name that could be there."""
    with pytest.raises(PhotoMissing):
        photos.read_one(Image.model_construct(uri=uri, base64=None))


def test_links_in_a_circle_end(photos: Photos, root: Path) -> None:
    """They are refused, and not followed for ever."""
    (root / "circle").symlink_to(root / "circle")
    with pytest.raises(AisleError):
        read(photos, "circle")


def test_a_huge_file_is_refused_before_it_is_read(photos: Photos, root: Path) -> None:
    """Its size is asked first: this one has a terabyte and no content."""
    with (root / "huge.jpg").open("wb") as file:
        file.truncate(MAX_PHOTO_BYTES + 1)
    os.truncate(root / "huge.jpg", 1 << 40)
    with pytest.raises(PhotoOversize):
        read(photos, "huge.jpg")


def test_a_file_nobody_may_read_is_unavailable(photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk's own word is passed on."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("infra.photo_roots.os.open", refuse)
    with pytest.raises(PhotoUnavailable, match="Permission denied"):
        read(photos, "shop/a.jpg")


def test_an_object_store_is_a_root(store: str) -> None:
    """By the whole url or by what follows the prefix; a neighbouring prefix is another place."""
    photos = Photos([store])
    assert PHOTO == read(photos, f"{store}/a.jpg")
    assert PHOTO == read(photos, "a.jpg")
    for uri in ("memory://bucket/prefixed/b.jpg", f"{store}/../prefixed/b.jpg", "/bucket/prefix/a.jpg", "s3://x/a.jpg"):
        with pytest.raises(PhotoRefused):
            read(photos, uri)
    with pytest.raises(PhotoMissing):
        read(photos, "b.jpg")


def test_a_huge_object_is_refused_before_it_is_read(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is asked first."""
    files = fsspec.filesystem("memory")
    monkeypatch.setattr(type(files), "info", lambda *_, **__: {"type": "file", "size": MAX_PHOTO_BYTES + 1})
    with pytest.raises(PhotoOversize):
        read(Photos([store]), "a.jpg")


def test_a_store_that_fails_is_unavailable(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its driver raises."""

    def fail(*_: object, **__: object) -> bytes:
        raise ConnectionResetError

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "cat_file", fail)
    with pytest.raises(PhotoUnavailable):
        read(Photos([store]), "a.jpg")


def test_roots_are_asked_in_their_order(root: Path, store: str) -> None:
    """A relative uri is looked for in each root until one has it."""
    photos = Photos([str(root), store])
    assert [PHOTO, PHOTO] == [read(photos, "shop/a.jpg"), read(photos, "a.jpg")]
    with pytest.raises(PhotoMissing):
        read(photos, "c.jpg")


def test_the_image_store_is_read_by_hash(tmp_path: Path) -> None:
    """A photo that was uploaded or archived is named by its SHA-256."""
    images = ImageStore(tmp_path / "images")
    digest = sha256(PHOTO).hexdigest()
    images.put(digest, PHOTO)
    assert PHOTO == read(Photos([], images), f"sha256:{digest}")
    with pytest.raises(PhotoMissing):
        read(Photos([], images), "sha256:" + "0" * 64)


@pytest.mark.parametrize(
    "root", ["https://example.org/photos", "simplecache::s3://b", "local://x", "./absent", "zip://x"]
)
def test_a_root_that_cannot_be_one_is_refused(root: str) -> None:
    """With the setting's name."""
    with pytest.raises(SettingsInvalid, match="AISLE_IMAGE_ROOTS"):
        Photos([root])


async def test_the_photos_of_a_batch_come_together(photos: Photos) -> None:
    """Each product has its photo, its reason or nothing; a bad one takes nothing from the others."""
    named = [Image(uri="shop/a.jpg"), None, Image(uri="http://x/"), Image(uri="absent"), Image(uri="shop/a.jpg")]
    answers = await photos.read(named)
    assert [PHOTO, None, PhotoRefused, PhotoMissing, PHOTO] == [
        type(answer) if isinstance(answer, AisleError) else answer for answer in answers
    ]


async def test_a_batch_does_not_wait_for_a_photo_that_hangs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came by the deadline is there; the rest has the reason."""
    hang = threading.Event()
    plain = DirectoryRoot.read

    def read_slowly(self: DirectoryRoot, inside: str) -> bytes:
        if inside == "slow.jpg":
            hang.wait(60)
        return plain(self, inside)

    monkeypatch.setattr(DirectoryRoot, "read", read_slowly)
    photos = Photos([str(root)], deadline_s=0.5)
    try:
        first, second = await photos.read([Image(uri="slow.jpg"), Image(uri="shop/a.jpg")])
    finally:
        hang.set()
        photos.close()
    assert isinstance(first, PhotoUnavailable)
    assert PHOTO == second
