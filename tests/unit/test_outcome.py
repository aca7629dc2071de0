"""What comes of a judged model: in service once, and not again against a person's word."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.runs import Run
from infra.settings import Settings
from model.champion import promotion
from schemas.model_event import ModelEvent
from tests.bundles import make_bundle
from workers.retrain import outcome
from workers.retrain.outcome import conclude

Conclude = Callable[..., Any]


@pytest.fixture
def concluded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Conclude:
    """Concludes a run that made ``new``, with a champion in force, and decisions that were made before."""
    bundles = {version: make_bundle(tmp_path / "models", version) for version in ("old", "new", "other")}
    decided: list[ModelEvent] = []

    async def conclusion(champion: str, made: tuple[str, ...] = (), *, passed: bool = True, **settings: Any) -> Any:
        events = {version: promotion(bundles[version], None, by="a test", why="") for version in (champion, *made)}

        def put(_settings: Settings, following: Callable[[ModelEvent, Mapping[str, ModelEvent]], ModelEvent]) -> None:
            decided.append(following(events[champion], events))

        monkeypatch.setattr(outcome, "put_in_force", put)
        asked: dict[str, Any] = {
            "_id": 1,
            "token": "t",
            "state": "running",
            "trigger": "corrections",
            "why": "",
            "by": "x",
        }
        found = {"version": "new", "champion": "old", "decision": {"passed": passed, "reasons": ["figures"]}}
        run = Run.model_validate(asked | found | {"asked_at": datetime.now(UTC)})
        state, _ = await conclude(run, Settings(_env_file=None, data_dir=tmp_path, **settings))
        return state, [event.model.version for event in decided]

    return conclusion


async def test_what_passed_is_put_in_service(concluded: Conclude) -> None:
    """In place of the champion that it was compared with."""
    assert ("promoted", ["new"]) == await concluded("old")


async def test_what_was_put_in_service_before_a_kill_is_not_refused(concluded: Conclude) -> None:
    """The run that is gone on with finds its own model in service."""
    assert ("promoted", ["new"]) == await concluded("new", ("old",))


async def test_what_a_person_took_out_stays_out(concluded: Conclude) -> None:
    """Promoted, killed before that was put on record, rolled back: the run that is gone on with undoes no rollback."""
    assert ("refused", []) == await concluded("old", ("new",))


async def test_another_champion_by_now_refuses(concluded: Conclude) -> None:
    """It was compared with another one."""
    assert ("refused", []) == await concluded("other")


async def test_nothing_is_put_in_service_that_may_not(concluded: Conclude) -> None:
    """Neither what the gate refused, nor anything where people want to do it by hand."""
    assert ("refused", []) == await concluded("old", passed=False)
    assert ("passed", []) == await concluded("old", retrain_promote=False)
