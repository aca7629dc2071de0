"""The bundle: everything a model is, in one directory that never changes once it is there."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from model.errors import BundleInvalid
from model.fusion import Pool
from schemas.prediction import Category, ModelRef
from schemas.taxonomy import Shelf, Taxonomy

MANIFEST: Final = "manifest.json"
SEEN_KEYS: Final = "seen_keys.npy"
HELD_KEYS: Final = "held_keys.npy"
OUT_OF_FOLD: Final = "out_of_fold.npy"
"""Of each row of the data, the category that a model of the same kind gave it which had not learned from it, by its
number among the manifest's; -1 where there is none."""
TAXONOMY: Final = "taxonomy.json"
REPORT: Final = "report"
GOLDEN_PHOTOS: Final = "golden"


class Labels(BaseModel):
    """A category as the manifest keeps it: its code, and label and theme by language ('' where none is named)."""

    model_config = ConfigDict(frozen=True)

    code: str
    labels: dict[str, str]
    themes: dict[str, str] = {}

    @classmethod
    def of(cls, shelf: Shelf) -> "Labels":
        """A category of a taxonomy."""
        return cls(code=shelf.code, labels=dict(shelf.labels), themes=dict(shelf.themes))

    def category(self, language: str) -> Category:
        """The category in a language, or in whichever the taxonomy has."""
        return _taxonomy([self]).category(self.code, language)


_SHELVES: Final = TypeAdapter(list[Labels])


class Golden(BaseModel):
    """A product as it came, and what each stage answered when the bundle was made."""

    title: str
    description: str
    photo: str | None = Field(default=None, description="Path below the bundle.")
    probabilities: dict[str, list[float]] = Field(description="By stage, before any weights; not all can answer.")


class StageFacts(BaseModel):
    """A stage that was tried."""

    name: str
    kept: bool
    why: str = Field(description="Why it was kept or left out, with the figures.")
    accuracy: float = Field(description="Of this stage alone, on held-out rows.")
    share: float = Field(default=1.0, description="Part of the held-out rows that reach it.")


class DataFacts(BaseModel):
    """What the model was trained on, and how the rows were split."""

    file: str = Field(description="Name of the data file, without its folder.")
    sha256: str
    rows: int
    train: int
    test: int
    skipped: int


class Manifest(BaseModel):
    """What a bundle says of itself."""

    format: Literal[2] = 2
    name: str
    version: str
    created_at: datetime
    seed: int
    stages: list[str] = Field(description="In the order they are asked; each is a directory of the bundle.")
    tried: list[StageFacts] = []
    pools: list[Pool] = Field(description="How answers are weighed, by modalities and stages; calibrates them too.")
    files: dict[str, str] = Field(description="SHA-256 of every other file, by path below the bundle.")
    categories: list[Labels] = Field(description="In the order of the network's outputs.")
    prior: list[float] = Field(description="Share of each category among the training rows.")
    offsets: list[float] = Field(
        default=[], description="Added to the log-probability of each category, as one that was just taught holds back."
    )
    taxonomy_sha256: str
    review_threshold: float = Field(description="Predictions less confident than this go to a person.")
    auto_accept_precision: float = Field(description="Precision on validation that the threshold was chosen for.")
    metrics: dict[str, float]
    data: DataFacts
    golden: list[Golden]
    libraries: dict[str, str]

    @property
    def taxonomy(self) -> Taxonomy:
        """The categories that the model knows."""
        return _taxonomy(self.categories)

    @property
    def ref(self) -> ModelRef:
        """The model's name and version."""
        return ModelRef(name=self.name, version=self.version)


@contextmanager
def staging(models_dir: Path) -> Iterator[Path]:
    """A directory beside the bundles to make one in; whatever happens, nothing half-made remains."""
    models_dir.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=".staging-", dir=models_dir))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write_taxonomy(path: Path, taxonomy: Taxonomy) -> None:
    """Keep the taxonomy in a staged bundle whole: the manifest has only the categories that training rows have."""
    (path / TAXONOMY).write_bytes(_SHELVES.dump_json([Labels.of(shelf) for shelf in taxonomy]))


def seal(path: Path, models_dir: Path, manifest: Manifest) -> Path:
    """Give a staged bundle its version and manifest, and move it into place in one step.

    Args:
        path: The staged directory, complete but for the manifest.
        models_dir: Where bundles live, on the same file system.
        manifest: With everything but the version and the files' hashes.

    Returns:
        The bundle's directory, ``<models_dir>/<version>``.
    """
    files = {name: _file_sha256(path / name) for name in _files(path)}
    # Readable, sortable by time, and with enough of a hash that two made in one second differ.
    content = sha256(repr((sorted(files.items()), manifest.data.sha256, manifest.seed)).encode()).hexdigest()
    version = f"{manifest.created_at:%Y%m%d-%H%M%S}-{content[:6]}"
    full = manifest.model_copy(update={"version": version, "files": files})
    (path / MANIFEST).write_text(full.model_dump_json(indent=1), encoding="utf-8")
    for name in [*files, MANIFEST]:
        with (path / name).open("rb") as file:
            os.fsync(file.fileno())
        (path / name).chmod(0o444)
    path.chmod(0o755)
    target = models_dir / version
    try:
        path.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        raise BundleInvalid(f"{target} exists already.", hint="Train again: the version has the time in it.") from error
    return target


def read_manifest(bundle: Path) -> Manifest:
    """The manifest of a bundle, its files unchecked.

    Raises:
        BundleInvalid: The path is no bundle, or one of a format this aisle does not know.
    """
    path = bundle / MANIFEST
    if not path.is_file():
        what = "has no manifest.json, so it is no bundle" if bundle.exists() else "does not exist"
        raise BundleInvalid(f"{bundle} {what}.", hint="Give the directory that `aisle train` printed.")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its JSON"
        raise BundleInvalid(f"{path} cannot be used: {where}: {first['msg']}.", hint="Train a new bundle.") from error


def verify(bundle: Path) -> Manifest:
    """The manifest of a bundle whose every file is as it was written, and whose labels are those of its taxonomy.

    Raises:
        BundleInvalid: The path is no bundle, a file is missing or changed, or the labels are others.
    """
    manifest = read_manifest(bundle)
    for name, expected in manifest.files.items():
        path = bundle / name
        if not path.is_file():
            raise BundleInvalid(f"The bundle {bundle} lacks its file {name}.", hint="Copy it again, or train anew.")
        if _file_sha256(path) != expected:
            raise BundleInvalid(
                f"The file {name} of the bundle {bundle} is not what was written.", hint="Copy it again, or train anew."
            )
    _check_labels(bundle, manifest)
    return manifest


def manifest_sha256(bundle: Path) -> str:
    """SHA-256 of the manifest, which holds that of every file: it names the bundle's whole content."""
    return _file_sha256(bundle / MANIFEST)


def _check_labels(bundle: Path, manifest: Manifest) -> None:
    """Refuse categories that the networks or the taxonomy do not have.

    Raises:
        BundleInvalid: They are fewer or more than the networks answer with, or not as the taxonomy has them.
    """
    count = len(manifest.categories)
    answers = {len(one) for golden in manifest.golden for one in golden.probabilities.values()}
    if {len(manifest.prior), *answers} != {count}:
        raise BundleInvalid(
            f"The manifest of {bundle} names {count} categories, and its networks answer with another number of them.",
            hint="Copy it again, or train anew.",
        )
    if TAXONOMY not in manifest.files:  # made before bundles kept it: nothing to compare with
        return
    whole = _SHELVES.validate_json((bundle / TAXONOMY).read_bytes())
    by_code = {entry.code: entry for entry in whole}
    wrong = [entry.code for entry in manifest.categories if by_code.get(entry.code) != entry]
    if wrong or _taxonomy(whole).sha256 != manifest.taxonomy_sha256:
        what = f"the labels of {wrong[0]!r} are others" if wrong else "it is another one"
        raise BundleInvalid(
            f"The manifest of {bundle} does not match its taxonomy: {what}.", hint="Copy it again, or train anew."
        )


def _taxonomy(entries: Sequence[Labels]) -> Taxonomy:
    return Taxonomy(tuple(Shelf(entry.code, entry.labels, entry.themes) for entry in entries))


def _files(path: Path) -> list[str]:
    return sorted(name.relative_to(path).as_posix() for name in path.rglob("*") if name.is_file())


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
