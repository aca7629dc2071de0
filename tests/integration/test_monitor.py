"""The monitor on a real store: it reads the newest items and verdicts, and keeps what it finds."""

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.settings import Settings
from infra.store import ITEMS, MONITOR, Store
from model.reference import profile
from model.rows import Rows
from schemas.taxonomy import Taxonomy
from workers.monitor.answers import answers, unseen
from workers.monitor.checks import Checks
from workers.monitor.jobs import Jobs
from workers.monitor.worker import Monitor

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TITLES = ("Kettle", "Lamp of brass", "Garden chair, folding")


class Inline:
    """Notes what it is to do; fails, if it is to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.error: Exception | None = None

    async def __call__(self, work: Callable[..., Any], *_: Any) -> None:
        """Note it."""
        self.done.append(work.__name__)
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """All products are in one language: to tell takes seconds, and has its own tests."""
    monkeypatch.setattr("model.reference.languages_of", lambda rows: ["en"] * len(rows))


def item(number: int, *, times: int = 1, verdict: str | None = None) -> dict[str, Any]:
    """An item that was published so many seconds after noon of the day before, and judged an hour later."""
    published = NOON - timedelta(days=1) + timedelta(seconds=number)
    made = {
        "_id": f"monitored-{number:05}",
        "product_id": f"p-{number}",
        "product": {"published_at": published, "title": TITLES[number % 3] * times, "description": None},
        "prediction": {
            "classified_at": published,
            "category": {"code": "a", "label": "A"},
            "confidence": 0.9,
            "needs_review": number % 10 == 0,
            "decided_by": "text",
            "model": {"name": "aisle", "version": "v1"},
        },
    }
    if verdict is not None:
        code = {"code": "b"} if verdict == "corrected" else {}
        made["verdict"] = {"at": published + timedelta(hours=1), "verdict": verdict, **code}
    return made


@pytest.fixture
async def watching(store: Store, tmp_path: Path) -> "tuple[Jobs, Inline]":
    """The checks of a champion, with 600 products of which the last hundred are judged, and longer titles."""
    collection = store.collection(ITEMS)
    await collection.insert_many(
        [item(number, times=3, verdict="corrected" if number % 2 else "validated") for number in range(500, 600)]
        + [item(number, times=3) for number in range(500)]
        + [item(700 + number) | {"product_id": f"aisle-canary-{number}"} for number in range(9)]
    )
    usual = profile(Rows([TITLES[number % 3] for number in range(600)], [""] * 600), predicted=["a"] * 600)
    champion = SimpleNamespace(
        version="v1", reference=usual, manifest=SimpleNamespace(taxonomy=Taxonomy.from_labels(["a"]))
    )
    aside = Inline()
    settings = Settings(data_dir=tmp_path, monitor_rows=1_000)
    return Jobs(settings, store, aside, lambda _: champion), aside  # type: ignore[arg-type, return-value] # stands for one


async def test_drift_and_verdicts_are_found_in_what_the_archive_has(
    watching: tuple[Jobs, Inline], store: Store
) -> None:
    """Longer titles are drift with a report; half of the judged answers were corrected. Canaries are in neither."""
    checks, aside = watching
    drifted = await checks.drift(NOON)
    assert drifted is not None
    assert (600, ["title length"]) == (drifted.figures["rows"], drifted.figures["drifted"])
    assert {"drift"} == set(drifted.causes)
    assert ["write_report"] == aside.done
    assert "monitor/2026-11-22/drift.html" == drifted.figures["report"]
    await Checks(store).keep(drifted)
    judged = await checks.accuracy(NOON)
    assert judged is not None
    assert (100, 0.5) == (judged.figures["verdicts"], judged.figures["accuracy"])
    assert {"accuracy", "weighted F1", "class a"} == set(judged.causes)


async def test_a_report_that_cannot_be_made_hides_no_drift(watching: tuple[Jobs, Inline], store: Store) -> None:
    """Nor does an MLflow that fails end the monitor: its processes may be killed for their memory."""
    checks, aside = watching
    aside.error = BrokenProcessPool("killed")
    found = await checks.drift(NOON)
    assert found is not None
    assert {"drift"} == set(found.causes)
    assert "report" not in found.figures
    await Checks(store).keep(found)
    assert await checks.serving(NOON) is not None


async def test_the_newest_check_of_a_kind_is_what_the_next_one_goes_by(
    watching: tuple[Jobs, Inline], store: Store
) -> None:
    """As the retraining worker asks for it; what people were told is in it."""
    checks, _ = watching
    clock = [NOON]
    monitor = Monitor(store, {"drift": ("* * * * *", checks.drift)}, clock=lambda: clock[0])
    for minute in range(1, 4):
        clock[0] = NOON + timedelta(minutes=minute)
        await monitor.look(SimpleNamespace(says=lambda *_: None))  # type: ignore[arg-type] # as far as it is told
        await monitor.told()
    documents = await store.collection(MONITOR).find({"kind": "drift", "model_version": "v1"}).to_list(None)
    assert 3 == len(documents)
    last = await Checks(store).last("drift")
    assert last is not None
    assert (NOON + timedelta(minutes=3), True, ["drift"]) == (last["at"], last["alert"], last["told"])
    assert 0 < last["share"] <= 1


async def test_the_day_before_is_put_together(watching: tuple[Jobs, Inline], store: Store) -> None:
    """How many products came, canaries apart, and what was found last of them; MLflow is told."""
    checks, aside = watching
    found = await checks.drift(NOON)
    assert found is not None
    await Checks(store).keep(found)
    day = await checks.serving(NOON)
    assert day is not None
    assert "serving_recorded" in aside.done
    assert 600 == day.figures["products"]
    assert found.figures["share"] == day.figures["drift_share"]


async def test_events_are_known_by_their_ids(watching: tuple[Jobs, Inline], store: Store) -> None:  # noqa: ARG001 - fills it
    """Those that were never sent are chosen in their order; those that are answered are found."""
    events = [SimpleNamespace(event_id=f"monitored-{number:05}") for number in (3, 900, 4, 901, 902)]
    assert ["monitored-00900", "monitored-00901"] == [one.event_id for one in await unseen(store, events, 2)]
    found = await answers(store, ["monitored-00003", "monitored-00900"], 0.0)
    assert {"monitored-00003": "a"} == {key: one["prediction"]["category"]["code"] for key, one in found.items()}


async def test_answers_of_another_model_than_the_champion_are_an_alert(store: Store, tmp_path: Path) -> None:
    """A worker that cannot load it goes on with the old one: told once, over when it could, unknown in silence."""
    collection, clock, told = store.collection(ITEMS), [NOON], list[dict[str, Any]]()

    class Hook:
        async def post(self, _identity: str, message: dict[str, Any]) -> None:
            told.append(message)

    async def answer(version: str, at: datetime) -> None:
        made = item(int(at.timestamp()) % 100_000)
        made["product"]["published_at"] = made["prediction"]["classified_at"] = at
        made["prediction"]["model"]["version"] = version
        await collection.insert_one(made)

    async def look(at: datetime) -> None:
        clock[0] = at
        await monitor.look(SimpleNamespace(says=lambda *_: None))  # type: ignore[arg-type] # as far as it is told
        await monitor.told()

    decision: Any = SimpleNamespace(model=SimpleNamespace(version="v2"), at=NOON)
    jobs = Jobs(Settings(data_dir=tmp_path), store, decided=lambda _: decision)
    hook: Any = Hook()
    monitor = Monitor(store, {"swap": ("* * * * *", jobs.swap)}, hook, lambda: clock[0])
    minute = timedelta(minutes=1)

    await answer("v1", NOON + minute)  # while v2 is loaded
    await look(NOON + 2 * minute)
    await answer("v2", NOON + 3 * minute)
    await look(NOON + 4 * minute)
    assert ([], None) == (told, await Checks(store).last("swap"))
    await answer("v1", NOON + 4 * minute)
    await look(NOON + 5 * minute)
    await look(NOON + 6 * minute)
    assert [["another model answers"]] == [[one["cause"] for one in message["raised"]] for message in told]
    assert "1 of the last 2 answers are of v1, and v2 was decided for" in told[0]["raised"][0]["why"]
    await look(NOON + 30 * minute)
    assert 1 == len(told)
    await answer("v2", NOON + 31 * minute)
    await look(NOON + 32 * minute)
    await look(NOON + 33 * minute)
    assert [["another model answers"]] == [message["cleared"] for message in told[1:]]
