"""Settings: one prefix, clear refusals, hidden secrets, and a table that is current."""

import traceback
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
        ("AISLE_SESSION_TIMEOUT_S", "5.9"),
        ("AISLE_SESSION_TIMEOUT_S", "301"),
        ("AISLE_BATCH_MAX_WAIT_MS", "60001"),
        ("AISLE_KAFKA_BOOTSTRAP", "a:b"),
        ("AISLE_KAFKA_BOOTSTRAP", "a"),
        ("AISLE_KAFKA_BOOTSTRAP", "a:1,"),
        ("AISLE_KAFKA_BOOTSTRAP", "a:1,b:65536"),
        ("AISLE_KAFKA_BOOTSTRAP", "a:0"),
        ("AISLE_KAFKA_BOOTSTRAP", "::1:9092"),
        ("AISLE_KAFKA_BOOTSTRAP", "kafka://a:1"),
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


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "86401", "1e300"])
@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if field.annotation is float])
def test_no_wait_is_endless(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Every setting that is a time has an end that the clocks and protocols behind it can hold."""
    monkeypatch.setenv(f"AISLE_{name.upper()}", value)

    with pytest.raises(SettingsInvalid, match=name.upper()):
        load_settings()


@pytest.mark.parametrize("servers", ["kafka:9092", "a.b-c_d.example:1,10.0.0.1:65535", "a:1, b:2", "[::1]:9092,a:1"])
def test_bootstrap_servers_are_hosts_with_ports(monkeypatch: pytest.MonkeyPatch, servers: str) -> None:
    """One server or several, by name or by address."""
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", servers)

    assert load_settings().kafka_bootstrap == servers


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AISLE_MONGODB_URI", "http://aisle:hunter2@db.example"),
        ("AISLE_MONGODB_URI", "aisle:hunter2@db.example"),
        ("AISLE_MONGODB_URI", "hunter2"),
        ("AISLE_KAFKA_BOOTSTRAP", "aisle:hunter2@kafka.example:9092"),
        ("AISLE_KAFKA_BOOTSTRAP", "aisle:hunter2,x@kafka.example:9092"),
    ],
)
def test_a_refused_address_shows_no_password(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The error names the variable and the form it must have; not even its traceback has the value."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsInvalid, match=variable) as caught:
        load_settings()

    assert "mongodb+srv://" in caught.value.message or "host:port" in caught.value.message
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("uri", ["mongodb://db.example", "mongodb+srv://me:hunter2@db.example/x"])
def test_both_schemes_of_mongodb_are_taken(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """A store is named as its driver takes it."""
    monkeypatch.setenv("AISLE_MONGODB_URI", uri)

    found = load_settings().mongodb_uri

    assert found is not None
    assert found.get_secret_value() == uri


def test_a_dotenv_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """The error says which file to mend."""
    (tmp_path / ".env").write_bytes("AISLE_LANGUAGE=fran\u00e7ais\n".encode("latin-1"))

    with pytest.raises(SettingsInvalid, match=r"\.env is not UTF-8") as caught:
        load_settings()

    assert str(tmp_path) in caught.value.message


@pytest.mark.parametrize("options", [[], ["--json"], ["--table"]])
def test_config_hides_secrets(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    """No form of `aisle config` shows the password of an address, and all show its host."""
    monkeypatch.setenv("AISLE_MONGODB_URI", "mongodb://aisle:hunter2@db.example:27017/?tls=true")
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", "one.example:9092,two.example:9092")

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
