"""Settings: one prefix, clear refusals, hidden secrets, and a table that is current."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import SettingsInvalid
from infra.settings import Settings, load_settings
from infra.settings_table import hide_credentials, settings_rows
from scripts.config import command

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"AISLE_{name.upper()}", raising=False)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def test_variables_carry_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """AISLE_TOPIC_PARTITIONS is read and TOPIC_PARTITIONS is somebody else's."""
    monkeypatch.setenv("AISLE_TOPIC_PARTITIONS", "3")
    monkeypatch.setenv("TOPIC_REPLICATION", "9")

    settings = load_settings()

    assert (settings.topic_partitions, settings.topic_replication) == (3, 1)


def test_dotenv_is_read_and_the_environment_goes_before_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A .env file in the working directory sets what the environment does not."""
    (tmp_path / ".env").write_text("AISLE_TOPIC_PARTITIONS=5\nAISLE_LANGUAGE=fr\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("AISLE_LANGUAGE", "de")

    assert (load_settings().topic_partitions, load_settings().language) == (5, "de")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and shells pass empty variables on: they mean the default."""
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", "")
    monkeypatch.setenv("AISLE_TOPIC_PARTITIONS", "")

    assert (load_settings().kafka_bootstrap, load_settings().topic_partitions) == (None, 8)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AISLE_TOPIC_PARTITIONS", "many"),
        ("AISLE_TOPIC_PARTITIONS", "0"),
        ("AISLE_LOG_LEVEL", "loud"),
        ("AISLE_COMMIT_INTERVAL_S", "-1"),
        ("AISLE_HEALTH_PORT", "65536"),
    ],
)
def test_a_bad_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The error names the variable and the value, so that it can be mended without reading code."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsInvalid) as caught:
        load_settings()

    assert variable in caught.value.message
    assert repr(value) in caught.value.message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("options", [[], ["--json"], ["--table"]])
def test_config_hides_secrets(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    """No form of `aisle config` shows a password, wherever in an address it was put."""
    monkeypatch.setenv("AISLE_MONGODB_URI", "mongodb://aisle:hunter2@db.example:27017/?tls=true")
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", "one.example:9092,aisle:hunter2@two.example:9092")

    result = CliRunner().invoke(command, options)

    assert result.exit_code == 0
    assert "hunter2" not in result.output
    assert ("two.example:9092" in result.output) == (options != ["--table"])


def test_config_json_is_all_settings_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """--json is an object with every variable, for scripts."""
    monkeypatch.setenv("AISLE_LANGUAGE", "fr")

    shown = orjson.loads(CliRunner().invoke(command, ["--json"]).output)

    assert {f"AISLE_{name.upper()}" for name in Settings.model_fields} == set(shown)
    assert shown["AISLE_LANGUAGE"] == "fr"


def test_config_marks_what_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A star tells what is not the default."""
    monkeypatch.setenv("AISLE_LANGUAGE", "fr")

    lines = CliRunner().invoke(command).output.splitlines()

    assert [line.split()[1] for line in lines if line.startswith("* AISLE")] == ["AISLE_LANGUAGE"]


def test_every_setting_is_documented() -> None:
    """Each has a description that fits a table cell."""
    for row in settings_rows():
        assert row.description, row.variable
        assert not {"|", "\n"} & set(row.description + row.default), row.variable


def test_the_documentation_has_the_table_of_the_code() -> None:
    """docs/settings.md holds what `aisle config --table` prints; run that command to renew it."""
    table = CliRunner().invoke(command, ["--table"]).output.strip()

    assert table in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("address", ["mongodb://u:p/w@h:1/x?y=z", "h:1,u:p/w@h:2", "u:p/w@h:1", "SASL://u:p/w@h:1"])
def test_credentials_are_hidden_wherever_they_stand(address: str) -> None:
    """User and password go, with any sign a password may hold; the host stays."""
    shown = hide_credentials(address)

    assert not {"u:", "p/", "w@"} & {shown[at : at + 2] for at in range(len(shown))}
    assert "h:1" in shown


@given(st.from_regex(r"[a-z0-9.-]+:[0-9]+(,[a-z0-9.-]+:[0-9]+)*", fullmatch=True))
def test_addresses_without_credentials_stay_as_they_are(address: str) -> None:
    """Hiding changes nothing where there is nothing to hide."""
    assert address == hide_credentials(address)
