"""Training sets of a real store: what the archive wrote is what is learned, and a set is made again from it."""

import asyncio
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from infra.images import ImageStore
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.settings import Settings, load_settings
from infra.store import ITEMS, TRAINING_SETS, Store
from model.bundle import HELD_KEYS
from model.data.columns import Columns
from model.data.labelled import load_labelled
from scripts.forget_run import Forget
from scripts.retrain import command
from tests.bundles import make_bundle
from tests.integration.conftest import Services
from tests.integration.test_feedback import Topics, archive, event, predicted, product, said, stage_of
from workers.retrain import training_set
from workers.retrain.base_set import base_of, keep_base
from workers.retrain.set_rows import ROWS, read_rows
from workers.retrain.training_set import TrainingSet, build_set

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A bundle whose base set was kept: 40 soups and teas."""
    file, bundle = tmp_path / "products.csv", make_bundle(tmp_path / "models", "first")
    with file.open("w", encoding="utf-8", newline="") as target:
        names = ((f"product number {number}", ("soups", "teas")[number % 2]) for number in range(40))
        csv.writer(target).writerows([("title", "category"), *names])
    data = load_labelled(file)
    np.save(bundle / HELD_KEYS, data.keys[::10])
    keep_base(file, Columns(), data, bundle, tmp_path / "sets", ImageStore(tmp_path / "images"))
    return bundle


async def build(store: Store, bundle: Path, folder: Path) -> TrainingSet:
    """A training set of what is in the store."""
    sets, settings = folder / "sets", Settings(_env_file=None)
    return await build_set(store, ImageStore(folder / "images"), sets, base_of(bundle, sets), settings)


def titles(made: TrainingSet) -> Iterable[tuple[str | None, str]]:
    """Title and category of what verdicts made."""
    return [(row.title, row.category) for row in read_rows(made.folder / ROWS) if row.side == "verdict"]


async def test_what_people_say_is_what_is_learned(
    store: Store, services: Services, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archived verdicts become rows, a set is made again by its version, and rejected products are a file of their own.

    A set of which a product was forgotten is refused.
    """
    stage = stage_of(store, Topics(), tmp_path)
    await archive(stage, *(one for number in range(4) for one in (product(number), predicted(number))))
    right: list[dict[str, str]] = [{"code": "teas"}, {}, {}, {"code": "jams"}]
    verdicts = enumerate(("corrected", "validated", "rejected", "corrected"))
    await archive(stage, *(said(number, verdict, 1, **right[number]) for number, verdict in verdicts))

    made = await build(store, base, tmp_path)

    assert {("product 0", "teas"), ("product 1", "soups")} == set(titles(made))
    assert ["jams"] == list(made.manifest.outside)
    assert 42 == len(made.load())
    kept = await store.collection(TRAINING_SETS).find_one({"_id": made.version})
    assert kept is not None
    assert (2, 1, made.manifest.data_sha256) == (kept["verdicts"], kept["rejected"], kept["data_sha256"])
    assert made.version == (await build(store, base, tmp_path)).version

    variables = {"MONGODB_URI": services.mongodb_uri, "DATA_DIR": tmp_path, "MONGODB_DATABASE": store._database.name}
    for name, value in variables.items():
        monkeypatch.setenv(f"AISLE_{name}", str(value))
    load_settings.cache_clear()
    before = (made.folder / ROWS).read_bytes()
    (made.folder / ROWS).unlink()

    again = await _aisle("rebuild", made.version[:6])

    assert 0 == again.exit_code, again.output
    assert made.manifest.data_sha256 in again.output
    assert before == (made.folder / ROWS).read_bytes()

    told = await _aisle("rejected", str(tmp_path / "rejected.csv"))

    assert 0 == told.exit_code, told.output
    with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert ("p2", "product 2", "ada", event(2)) == tuple(
        row[name] for name in ("product_id", "title", "rejected_by", "event_id")
    )

    await store.collection(ITEMS).delete_one({"_id": event(1)})
    refused = await _aisle("rebuild", made.version)

    assert 0 != refused.exit_code
    assert "1 of 2 verdicts" in str(refused.exception)
    load_settings.cache_clear()


async def _aisle(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, list(arguments))


async def test_what_is_forgotten_while_a_set_is_made_is_not_in_it(
    store: Store, services: Services, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making one takes minutes: a row of a product that was forgotten in them stays in no set."""
    stage = stage_of(store, Topics(), tmp_path)
    await archive(stage, *(one for number in range(2) for one in (product(number), predicted(number))))
    await archive(stage, *(said(number, "corrected", 1, code="teas") for number in range(2)))
    settings = Settings(data_dir=tmp_path, kafka_bootstrap=services.kafka_bootstrap)
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    loop, make, times = asyncio.get_running_loop(), training_set.make_set, list[str]()

    def overtaken(*arguments: Any) -> TrainingSet:
        if not times:
            forget = Forget(settings, store, ["p1"]).run("ada", lambda _step, _part: None)
            asyncio.run_coroutine_threadsafe(forget, loop).result(60)
        times.append("made")
        return make(*arguments)

    monkeypatch.setattr(training_set, "make_set", overtaken)
    made = await build(store, base, tmp_path)

    assert 2 == len(times)
    assert [("product 0", "teas")] == titles(made)
    assert not [path for path in (tmp_path / "sets").rglob(ROWS) if 'product 1"' in path.read_text(encoding="utf-8")]
