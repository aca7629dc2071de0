"""A whole aisle with a model of real products in it, for benchmarks that ask it things."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.settings import Settings
from tests.bench.load import OPEN_FOOD_FACTS
from tests.integration.road import Road


@contextmanager
def standing(*options: str, **settings: Any) -> Iterator[Road]:
    """`aisle up`, in a folder that goes with it.

    Args:
        options: Of the command.
        settings: Beside the data directory.
    """
    with TemporaryDirectory(prefix="aisle-bench-") as folder:
        given = Settings(_env_file=None, data_dir=Path(folder) / "data", **settings)
        road = Road(given, Path(folder) / "up.log", *options)
        trained = road.aisle("train", str(OPEN_FOOD_FACTS), "--theme-column", "category_group")
        assert trained.returncode == 0, trained.stderr
        road.start(180)
        try:
            yield road
        finally:
            road.stop()
