"""What the monitor reads from items, and what it makes of products, answers and canaries."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.errors import DeliveryFailed
from infra.settings import Settings
from model.drift.compare import compare
from model.errors import DataInvalid
from model.reference import Profile
from schemas.ids import CANARY
from schemas.taxonomy import Taxonomy
from workers.monitor import canaries, drift, swaps
from workers.monitor.canaries import Canary
from workers.monitor.checks import Checks
from workers.monitor.jobs import Jobs
from workers.monitor.seen import Seen, newest_products, newest_verdicts

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WORDS = ("kettle", "lamp", "chair", "wooden table", "garden hose", "paper")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """All products are in one language: to tell takes seconds, and has its own tests."""
    monkeypatch.setattr("model.reference.languages_of", lambda rows: ["en"] * len(rows))


def item(number: int, *, product_id: str = "p", **answer: Any) -> dict[str, Any]:
    """An item as the archive keeps it."""
    given = {"version": "v1", "code": "a", "confidence": 0.9, "needs_review": False, "decided_by": "text"} | answer
    return {
        "_id": str(number),
        "product_id": product_id,
        "product": {"title": "Kettle", "image": {"uri": "kettle.jpg"}},
        "prediction": {
            "category": {"code": given["code"]},
            "model": {"version": given["version"]},
            **{name: given[name] for name in ("confidence", "needs_review", "decided_by")},
        },
    }


class Items:
    """A store, and every look at it: gives the same items, and notes how many were asked for."""

    def __init__(self, items: Sequence[dict[str, Any]]) -> None:
        self.items = items
        self.asked = 0

    def named_errors(self) -> AbstractContextManager[None]:
        """Nothing goes wrong."""
        return nullcontext()

    def limit(self, rows: int) -> "Items":
        """Notes it."""
        self.asked = rows
        return self

    def collection(self, *_: Any) -> "Items":
        """Whatever is asked for."""
        return self

    find = sort = batch_size = collection

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """The items."""
        for one in self.items:
            yield one


def store_of(*items: dict[str, Any]) -> Any:
    """A store of some items."""
    return Items(items)


async def test_products_are_read_with_their_answers() -> None:
    """As many as asked for; absent parts are empty."""
    store = store_of(item(1))
    expected = Seen("Kettle", "", photo=True, version="v1", code="a", confidence=0.9)
    assert [expected] == await newest_products(store, 7)
    assert 7 == store.asked


async def test_reviewers_answers_are_left_out() -> None:
    """They say nothing of what the model answers."""
    store = store_of(item(2, decided_by="reviewer"))
    (only,) = await newest_products(store, 10)
    assert only.version is None


async def test_a_verdict_is_held_against_the_models_answer() -> None:
    """Validated is right, corrected is the person's code, rejected is no category; withdrawn says nothing."""
    said = [("validated", None), ("corrected", "b"), ("rejected", None), ("withdrawn", None)]
    items = [item(n) | {"verdict": {"verdict": verdict, "code": code}} for n, (verdict, code) in enumerate(said)]
    found = await newest_verdicts(store_of(*items), 10, "v1")
    assert [("a", "a"), ("a", "b"), ("a", None)] == [(one.said, one.truth) for one in found]


async def test_verdicts_on_other_models_are_left_out() -> None:
    """And on answers that a person gave."""
    judged = {"verdict": {"verdict": "validated"}}
    items = [item(1, version="v0") | judged, item(2, decided_by="reviewer") | judged]
    assert [] == await newest_verdicts(store_of(*items), 10, "v1")


def products(rows: int, *, long: bool = False, code: str = "a", version: str = "v1") -> list[Seen]:
    """Products with titles of several lengths."""
    return [
        Seen(
            WORDS[number % len(WORDS)] * (4 if long else 1), "", photo=False, version=version, code=code, confidence=0.9
        )
        for number in range(rows)
    ]


def test_drift_is_found_in_shifted_products_and_not_in_the_same() -> None:
    """The share of drifted columns is what the retraining worker reads."""
    reference = drift.profile_seen(products(600), "v1")
    same = drift.look(products(300), "v1", reference, 0.2)
    assert (0.0, {}) == (same.share, drift.causes(same, 0.1))
    now = products(300, long=True)
    shifted = drift.look(now, "v1", reference, 0.2)
    assert "title length" in shifted.drifted
    assert "title length" in drift.causes(shifted, 0.1)[drift.CAUSE]
    assert shifted.share == drift.figures_of(shifted, now, "v1")["share"] > 0.1


def test_answers_of_another_version_are_not_compared() -> None:
    """A new champion is not held responsible for what its predecessor said."""
    mixed = products(300, code="b", version="v0") + products(100)
    found = drift.look(mixed, "v1", drift.profile_seen(products(600), "v1"), 0.2)
    assert [] == found.drifted
    assert 100 == next(column.current for column in found.columns if column.name == "predicted")


def test_a_drift_of_no_columns_is_no_cause() -> None:
    """Where nothing could be judged, nobody is told anything."""
    empty = Profile(rows=0, numbers={}, categories={})
    assert {} == drift.causes(compare(empty, empty), 0.0)


@pytest.fixture
def taxonomy() -> Taxonomy:
    """Two categories."""
    return Taxonomy.from_labels(["kettles", "lamps"])


def canary_file(folder: Path, *lines: str) -> Path:
    """A file of canaries."""
    path = folder / "canaries.csv"
    path.write_text("\n".join(("id,title,category", *lines)), encoding="utf-8")
    return path


def test_canaries_have_events_of_their_own_each_time(tmp_path: Path, taxonomy: Taxonomy) -> None:
    """The same at the same time, so that what is sent twice counts once."""
    path = canary_file(tmp_path, "1,Kettle,kettles", "2,Lamp,nowhere")
    now, again, later = (canaries.read_canaries(path, taxonomy, at) for at in (NOON, NOON, NOON.replace(hour=13)))
    assert now == again
    assert not {one.event_id for one in now} & {one.event_id for one in later}
    assert [taxonomy.code_of("kettles"), None] == [one.expected for one in now]


@pytest.mark.parametrize("lines", [(), ("1,Kettle,",), tuple(f"{n},Kettle,kettles" for n in range(201))])
def test_a_file_that_makes_no_canaries_is_refused(tmp_path: Path, taxonomy: Taxonomy, lines: tuple[str, ...]) -> None:
    """None, one without a category, or too many."""
    with pytest.raises(DataInvalid):
        canaries.read_canaries(canary_file(tmp_path, *lines), taxonomy, NOON)


def test_a_canary_that_is_not_called_what_it_is_is_a_cause(tmp_path: Path, taxonomy: Taxonomy) -> None:
    """As is one that is not answered, that became a dead letter, or whose category the model does not know."""
    lines = [f"{number},Kettle {number},kettles" for number in range(1, 5)]
    sent: list[Canary] = canaries.read_canaries(canary_file(tmp_path, *lines, "5,Lamp,nowhere"), taxonomy, NOON)
    right, other = (taxonomy.code_of(label) for label in ("kettles", "lamps"))
    answered = [item(1, code=right), item(2, code=other), {"dead_letter": {"message": "not JSON"}}, None, item(5)]
    found = {one.event_id: answer for one, answer in zip(sent, answered, strict=True) if answer is not None}
    figures, wrong = canaries.judge(sent, found)
    assert {"sent": 5, "answered": 4, "right": 1} == figures
    assert [f"canary {number}" for number in range(2, 6)] == list(wrong)
    assert "'Kettle 2'" in wrong["canary 2"]
    assert "v1" in wrong["canary 2"]
    assert "not JSON" in wrong["canary 3"]
    assert "not answered" in wrong["canary 4"]
    assert "does not know" in wrong["canary 5"]


def test_a_canary_is_published_as_a_product(tmp_path: Path, taxonomy: Taxonomy) -> None:
    """Known by its product id, so that it is told from what producers send."""
    (one,) = canaries.read_canaries(canary_file(tmp_path, "7,Kettle,kettles"), taxonomy, NOON)
    assert {"product_id": f"{CANARY}7", "title": "Kettle"} == canaries._product(one)


async def test_canaries_that_were_not_sent_tell_of_none(
    tmp_path: Path, taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that is away is a cause of its own, and no reason to say that a wrong answer is right by now."""

    async def send(*_: Any) -> None:
        raise DeliveryFailed("No broker.")

    monkeypatch.setattr(canaries, "send", send)
    champion: Any = SimpleNamespace(version="v1", manifest=SimpleNamespace(taxonomy=taxonomy))
    path, store = canary_file(tmp_path, "1,Kettle,kettles"), Items([])
    settings = Settings(data_dir=tmp_path, canaries=path, kafka_bootstrap="here:1")
    found = await Jobs(settings, store, champion=lambda _: champion).canary(NOON)  # type: ignore[arg-type] # not asked
    assert found is not None
    assert ({"broker": "Not sent: No broker."}, True, False) == (
        found.causes,
        found.tells("broker"),
        found.tells("canary 1"),
    )


@pytest.mark.parametrize("told", [[], ["another model answers"]])
async def test_other_answers_are_over_also_where_nobody_could_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    """An alert that no webhook took is taken back as well: else it would stand in figures and status for ever."""
    decided: Any = SimpleNamespace(at=NOON, model=SimpleNamespace(version="v1"))
    last = {"causes": {"another model answers": "so it was"}, "told": told}

    async def answering(*_: Any) -> Counter[str]:
        return Counter({"v1": 9})

    async def newest(*_: Any) -> dict[str, Any]:
        return last

    monkeypatch.setattr(swaps, "answering", answering)
    monkeypatch.setattr(Checks, "last", newest)
    found = await Jobs(Settings(data_dir=tmp_path), store_of(), decided=lambda _: decided).swap(NOON)

    assert found is not None
    assert {} == found.causes
