"""`aisle doctor` on servers and model, and what the command prints and exits with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import orjson
import pymongo
import pytest
from click.testing import CliRunner
from pymongo.errors import OperationFailure

from infra import doctor, doctor_servers
from infra.doctor import Finding
from infra.errors import BrokerUnavailable, TopicMissing
from infra.settings import Settings, load_settings
from schemas.model_event import ModelEvent
from schemas.prediction import ModelRef
from scripts import doctor as command_module


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults, with an empty data directory."""
    return Settings(_env_file=None, data_dir=tmp_path / "not" / "yet" / "there", kafka_bootstrap=None, mongodb_uri=None)


def told(finding: Finding) -> str:
    """A finding that is not well says what to do."""
    if finding.status != "ok":
        assert finding.hint, finding
    return finding.status


def test_no_broker_yet_is_a_warning_and_a_silent_one_a_failure(settings: Settings) -> None:
    """Not started is how one begins; named in the settings and away is wrong."""
    assert told(doctor_servers.check_broker(settings)) == "warn"
    named = settings.model_copy(update={"kafka_bootstrap": "me:hunter2@127.0.0.1:1"})

    finding = doctor_servers.check_broker(named)

    assert told(finding) == "fail"
    assert "hunter2" not in str(finding)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"products.in": 8}, "ok"),
        (TopicMissing("Missing topics: feedback.", hint="Run `aisle topics create`."), "fail"),
        (BrokerUnavailable("away"), "fail"),
        (TimeoutError(), "fail"),
    ],
)
def test_a_broker_is_well_with_its_topics(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, answer: Any, status: str
) -> None:
    """Reachable is not enough: the topics must be there, in step."""

    async def partitions(_bootstrap: str, _settings: Settings) -> dict[str, int]:
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    monkeypatch.setattr(doctor_servers, "_partitions", partitions)
    named = settings.model_copy(update={"kafka_bootstrap": "kafka:9092"})

    assert told(doctor_servers.check_broker(named)) == status


def test_no_store_yet_is_a_warning_and_a_silent_one_a_failure(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """As with the broker; the password in its address is not shown."""
    assert told(doctor_servers.check_store(settings)) == "warn"
    monkeypatch.setattr(doctor_servers, "_WAIT_S", 0.2)
    named = Settings(_env_file=None, mongodb_uri="mongodb://me:hunter2@127.0.0.1:1/aisle")

    finding = doctor_servers.check_store(named)

    assert told(finding) == "fail"
    assert "127.0.0.1:1" in finding.detail
    assert "hunter2" not in str(finding)


@pytest.mark.parametrize(
    ("error", "says"),
    [(OperationFailure("Chunk 106 not found", 8), "cannot read"), (OperationFailure("no", 18), "refuses us")],
)
def test_a_store_that_answers_but_cannot_read_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, error: OperationFailure, says: str
) -> None:
    """A ping says nothing of the file: the check reads from each collection."""
    client = MagicMock()
    database = client.__enter__.return_value.__getitem__.return_value
    database.list_collection_names.return_value = ["items"]
    database.__getitem__.return_value.find_one.side_effect = error
    subscripted = MagicMock()
    subscripted.__getitem__.return_value.return_value = client
    monkeypatch.setattr(pymongo, "MongoClient", subscripted)
    named = Settings(_env_file=None, mongodb_uri="mongodb://127.0.0.1:1/aisle")

    finding = doctor_servers.check_store(named)

    assert told(finding) == "fail"
    assert says in finding.detail


def test_no_champion_is_a_warning(settings: Settings) -> None:
    """A new installation has no model yet: the hint says how to get one."""
    finding = command_module.check_model(settings)

    assert told(finding) == "warn"
    assert "aisle train" in finding.hint


def test_a_lost_champion_is_a_failure(settings: Settings) -> None:
    """The record of a promotion without its bundle is not a new installation."""
    event = ModelEvent(
        model=ModelRef(name="shelf", version="v1"),
        bundle_uri="file:///nowhere/v1",
        sha256="0",
        taxonomy_sha256="0",
        sequence=1,
        by="test",
        why="test",
        at=datetime.now(UTC),
    )
    (settings.data_dir / "models").mkdir(parents=True)
    (settings.data_dir / "models" / "champion.json").write_text(event.model_dump_json())

    assert told(doctor.run_check("model", command_module.check_model, settings)) == "fail"


def test_a_named_model_that_is_missing_is_a_failure(settings: Settings, tmp_path: Path) -> None:
    """Whoever names a bundle wants that one."""
    named = settings.model_copy(update={"model": tmp_path / "nowhere"})

    assert doctor.run_check("model", command_module.check_model, named).status == "fail"


def test_a_check_that_breaks_is_a_failure_of_its_own(settings: Settings) -> None:
    """One surprise does not hide what the other checks say."""

    def broken(_settings: Settings) -> Finding:
        raise RuntimeError("odd")

    assert doctor.run_check("x", broken, settings) == Finding("x", "fail", "RuntimeError: odd")


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_exit_status_tells_failures(
    monkeypatch: pytest.MonkeyPatch, status: Any, code: int, options: list[str]
) -> None:
    """A warning exits with 0, a failure with 1, and the printed lines fit 80 columns."""
    finding = Finding("disk", status, "a word " * 30, "do this " * 30)
    monkeypatch.setattr(command_module, "diagnose", lambda: iter([finding]))

    result = CliRunner().invoke(command_module.command, options)

    assert result.exit_code == code
    if options:
        assert orjson.loads(result.output)["checks"][0]["status"] == status
        assert orjson.loads(result.output)["ok"] is (code == 0)
    else:
        assert max(map(len, result.output.splitlines())) <= 80


def test_bad_settings_do_not_stop_the_other_checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first finding names the variable; the machine is looked at all the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AISLE_TOPIC_PARTITIONS", "many")
    load_settings.cache_clear()

    findings = {finding.name: finding for finding in command_module.diagnose()}

    load_settings.cache_clear()
    assert findings["settings"].status == "fail"
    assert "AISLE_TOPIC_PARTITIONS" in findings["settings"].detail
    assert findings["python"].status == "ok"
    assert len(findings) == 11
