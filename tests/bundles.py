"""Bundles without networks: everything around a model can be shown on them."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from model.bundle import DataFacts, Labels, Manifest
from model.champion import promotion
from schemas.model_event import ModelEvent

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make_bundle(models_dir: Path, version: str, *, codes: tuple[str, ...] = ("soups", "teas"), **fields: Any) -> Path:
    """A bundle with one file, whole and sound, that has no stage."""
    bundle = models_dir / version
    (bundle / "text").mkdir(parents=True)
    (bundle / "text" / "weights").write_text(version)
    manifest = Manifest(
        name="aisle",
        version=version,
        created_at=AT,
        seed=0,
        stages=[],
        pools=[],
        files={"text/weights": sha256(version.encode()).hexdigest()},
        categories=[Labels(code=code, labels={"": code.title()}) for code in codes],
        prior=[1 / len(codes)] * len(codes),
        taxonomy_sha256="0",
        review_threshold=0.5,
        auto_accept_precision=0.95,
        metrics={"weighted_f1": 0.8, "test_rows": 20.0},
        data=DataFacts(file="foods.csv", sha256="0", rows=100, train=80, test=20, skipped=0),
        golden=[],
        libraries={},
    ).model_copy(update=fields)
    (bundle / "manifest.json").write_text(manifest.model_dump_json())
    return bundle


def decided(bundle: Path, before: ModelEvent | None = None, **fields: Any) -> ModelEvent:
    """The decision for a bundle, after another one."""
    return promotion(bundle, before, by="ada", why="a test").model_copy(update=fields)
