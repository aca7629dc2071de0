"""`aisle models`: what is there, what is in force, forth and back; without a broker and without TensorFlow."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from infra.errors import BrokerUnavailable, DeliveryFailed
from infra.model_events import Standing
from infra.settings import load_settings
from model.champion import keep, read_champion
from model.errors import BundleInvalid, ModelUnknown, NoChampion, PromotionRefused
from schemas.model_event import ModelEvent
from scripts import models
from tests.bundles import decided, make_bundle
from workers import promotion

ROOT = Path(__file__).parents[2]


class Topic:
    """models.events, in place of a broker."""

    def __init__(self) -> None:
        self.standing = Standing()
        self.away: Exception | None = None
        self.meanwhile: ModelEvent | None = None

    async def read_standing(self, _bootstrap: str) -> Standing:
        """What it says."""
        if self.away:
            raise self.away
        return self.standing

    async def decide(self, _bootstrap: str, following: Callable[[Standing], ModelEvent]) -> Standing:
        """Take the next decision; perhaps somebody is quicker."""
        if isinstance(self.away, BrokerUnavailable):
            raise self.away
        event = following(self.standing)
        if self.away:
            raise self.away
        self.says(self.meanwhile or event)
        return self.standing

    def says(self, event: ModelEvent) -> None:
        """The decision in force."""
        self.standing = Standing(event, self.standing.made | {event.model.version: event})


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Topic]:
    """An empty topic, and two bundles in the data directory."""
    topic = Topic()
    for name, value in (("decide", topic.decide), ("read_standing", topic.read_standing), ("find_kafka", str)):
        monkeypatch.setattr(promotion, name, value)
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("AISLE_MODEL", raising=False)
    load_settings.cache_clear()
    for version in ("20261121-120000-aaaaaa", "20261122-120000-bbbbbb"):
        make_bundle(tmp_path / "models", version)
    yield topic
    load_settings.cache_clear()


A, B = "20261121-120000-aaaaaa", "20261122-120000-bbbbbb"


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """Where the bundles are."""
    return tmp_path / "models"


def run(*arguments: str) -> Result:
    """Run `aisle models` with these arguments."""
    return CliRunner().invoke(models.command, list(arguments))


def test_forth_and_back(topic: Topic, models_dir: Path) -> None:
    """Each decision follows on the one before, names it, and is in the pointer file too."""
    for arguments, version, previous, sequence, why in (
        (("promote", A, "--by", "ada", "--why", "first"), A, None, 1, "first"),
        (("promote", "20261122", "--by", "ada"), B, A, 2, "promoted by hand"),
        (("rollback", "--by", "ada"), A, B, 3, f"rollback from {B}"),
        (("rollback", "--by", "ada", "--why", "again"), B, A, 4, "again"),
    ):
        done = run(*arguments)
        assert 0 == done.exit_code, done.output
        event = topic.standing.champion
        assert event is not None
        assert event == read_champion(models_dir)
        assert (version, previous, sequence) == (event.model.version, event.previous, event.sequence)
        assert ("ada", why) == (event.by, event.why)
        assert f"{version} is the champion" in done.output
        assert "workers take it over" in done.output


def test_the_list_shows_who_is_in_force_and_who_was(topic: Topic, models_dir: Path) -> None:
    """Newest first, 80 columns; a bundle that cannot be read has a line too, whatever it is called."""
    topic.says(decided(models_dir / A))
    topic.says(decided(models_dir / B, topic.standing.champion, why="better \x1b[31m" + "x" * 20))
    (models_dir / "odd").mkdir()
    (models_dir / "odd" / "manifest.json").write_text("{" * 200)
    (models_dir / ".staging-1").mkdir()
    (models_dir / ".staging-1" / "manifest.json").write_text("{}")

    lines = run("list").stdout.splitlines()
    assert [f"  {'version'}", "  odd", f"* {B}", f"< {A}"] == [
        line[: len(start)] for line, start in zip(lines, ["  version", "  odd", f"* {B}", f"< {A}"], strict=False)
    ]
    assert "0.800" in lines[2]
    assert any("decision 2" in line for line in lines)
    assert all(len(line) <= 80 and line.isprintable() for line in lines)

    listed = orjson.loads(run("list", "--json").stdout)
    assert [None, "champion", "previous"] == [row["state"] or None for row in listed["models"]]
    assert (B, 2) == (listed["champion"]["model"]["version"], listed["champion"]["sequence"])


def test_a_model_is_shown_by_as_much_of_its_version_as_it_takes(topic: Topic, models_dir: Path) -> None:
    """Or as the champion; with the decision for it, if the topic has that still."""
    topic.says(decided(models_dir / A))
    topic.says(decided(models_dir / B, topic.standing.champion))
    text = run("show", "champion").stdout
    assert f"aisle {B}, champion" in text
    assert "100 rows in 2 categories" in text
    found = orjson.loads(run("show", "20261121", "--json").stdout)
    assert (A, "previous", 1) == (found["version"], found["state"], found["decision"]["sequence"])
    for beginning, says in (("2026", "More than one"), ("1999", "No model in"), ("../..", "No model in")):
        failed = run("show", beginning).exception
        assert isinstance(failed, ModelUnknown)
        assert says in str(failed)


def test_without_a_broker_the_pointer_file_decides_and_says_so(topic: Topic, models_dir: Path) -> None:
    """The decision goes on from it; what the broker lost half-way is made once more for the file."""
    topic.away = BrokerUnavailable("No Kafka broker answers at h:1.")
    keep(models_dir, decided(models_dir / A))
    done = run("promote", B, "--json")
    assert 0 == done.exit_code, done.output
    assert "only the pointer file says so: No Kafka broker answers at h:1." in done.stderr
    told = orjson.loads(done.stdout)
    assert (False, B, A, 2) == (told["published"], told["model"]["version"], told["previous"], told["sequence"])
    assert "only the pointer file" in run("list").stderr
    topic.away = DeliveryFailed("no answer")
    assert 0 == run("rollback").exit_code
    kept = read_champion(models_dir)
    assert kept is not None
    assert (A, 3) == (kept.model.version, kept.sequence)


def test_who_is_second_is_refused_and_leaves_the_pointer_file_alone(topic: Topic, models_dir: Path) -> None:
    """Somebody decided at the same moment; what is in force is named."""
    topic.says(decided(models_dir / A))
    topic.meanwhile = decided(models_dir / B, topic.standing.champion, by="bob")
    failed = run("promote", B).exception
    assert isinstance(failed, PromotionRefused)
    assert f"{B} by bob was decided at the same moment" in str(failed)
    assert None is read_champion(models_dir)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (["promote", A], PromotionRefused, f"{A} is the champion already"),
        (["promote", B, "--previous", B], PromotionRefused, f"{A} is in force, and not {B}: nothing was promoted"),
        (["rollback"], PromotionRefused, "there is none to go back to"),
    ],
)
def test_what_makes_no_sense_is_refused(
    topic: Topic, models_dir: Path, arguments: list[str], error: type[Exception], says: str
) -> None:
    """Nothing is decided by it."""
    event = decided(models_dir / A)
    topic.says(event)
    failed = run(*arguments).exception
    assert isinstance(failed, error)
    assert says in str(failed)
    assert event == topic.standing.champion


def test_a_promotion_may_say_what_has_to_be_in_force(topic: Topic, models_dir: Path) -> None:
    """Then it goes through where that is so."""
    topic.says(decided(models_dir / A))
    assert 0 == run("promote", B, "--previous", A).exit_code


def test_a_bundle_that_was_changed_is_not_promoted(topic: Topic, models_dir: Path) -> None:
    """Nor rolled back to."""
    topic.says(decided(models_dir / A))
    topic.says(decided(models_dir / B, topic.standing.champion))
    (models_dir / A / "text" / "weights").write_text("other")
    for arguments in (["promote", A], ["rollback"]):
        assert isinstance(run(*arguments).exception, BundleInvalid)
    assert B == topic.standing.champion.model.version  # type: ignore[union-attr] # it was said above


def test_a_rollback_to_a_bundle_elsewhere_names_it_as_the_topic_does(topic: Topic, models_dir: Path) -> None:
    """Workers look for it themselves; where the topic does not know it either, it is refused."""
    first = decided(models_dir / A, bundle_uri="s3://bucket/a")
    topic.says(first)
    topic.says(decided(models_dir / B, first))
    (models_dir / A).rename(models_dir.parent / "gone")
    assert 0 == run("rollback").exit_code
    again: Any = topic.standing.champion
    assert ("s3://bucket/a", first.sha256, A, B, 3) == (
        again.bundle_uri,
        again.sha256,
        again.model.version,
        again.previous,
        again.sequence,
    )
    (models_dir / "champion.json").unlink()
    topic.standing = Standing(decided(models_dir / B, first))
    assert isinstance(run("rollback").exception, PromotionRefused)


@pytest.mark.usefixtures("topic")
def test_without_a_model_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And a worker that is pinned is said, as it will not follow."""
    assert "aisle train" in run("list").stdout
    assert isinstance(run("rollback").exception, NoChampion)
    monkeypatch.setenv("AISLE_MODEL", str(tmp_path / "pinned"))
    load_settings.cache_clear()
    assert "AISLE_MODEL is set" in run("list").stderr


def test_it_needs_no_tensorflow() -> None:
    """Neither TensorFlow nor what else takes seconds to import."""
    program = (
        "import sys; import scripts.models, workers.promotion, model.rollback, model.found, scripts.models_view; "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'scipy', 'sklearn', 'pandas', 'faust')))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode
