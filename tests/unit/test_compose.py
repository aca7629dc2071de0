"""The compose file: valid by the specification, with health checks, pinned images and no secrets."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest
import yaml

from infra import compose_secrets
from infra.settings import Settings
from model.registry.opened import QUIET

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECURE_TEXT = (ROOT / "docker-compose.secure.yml").read_text()
SECURE: dict[str, Any] = yaml.safe_load(SECURE_TEXT)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ONE_SHOT = {"topics-init", "train", "grafana-init"}
OBSERVE = {"prometheus", "grafana", "grafana-init"}
OURS = {name for name, service in SERVICES.items() if "build" in service}
WRITES = {"airflow"}
"""Whose image writes below its own home."""
REPLACED = {"command", "entrypoint", "test"}
"""What a second file replaces; other lists it adds to."""


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """What Compose makes of two files, by the merge rules of its specification that these two need."""
    whole = dict(base)
    for name, value in over.items():
        was = base.get(name)
        if isinstance(was, dict) and isinstance(value, dict):
            whole[name] = merged(was, value)
        elif isinstance(was, list) and isinstance(value, list) and name not in REPLACED:
            whole[name] = was + value
        else:
            whole[name] = value
    return whole


BOTH = merged(COMPOSE, SECURE)


def test_it_is_valid_by_the_compose_specification() -> None:
    """The specification's own schema, kept in tests/data, finds nothing, in neither file nor in both as one."""
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text())

    for some in (COMPOSE, SECURE, BOTH):
        jsonschema.Draft202012Validator(schema).validate(some)


def test_the_schema_notices_a_mistake() -> None:
    """The check above would fail on a misspelt key: the schema is in force."""
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text())
    broken = COMPOSE | {"services": {"kafka": SERVICES["kafka"] | {"helthcheck": {}}}}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(broken)


def test_every_process_of_aisle_has_a_service() -> None:
    """One service a worker, with the command that runs it, and one that makes the topics."""
    commands = {" ".join(SERVICES[name].get("command", [])) for name in OURS}

    workers = {f"worker {name}" for name in ("classify", "archive", "retrain", "monitor", "gateway")}
    assert commands >= workers | {"topics create"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_a_health_check_or_ends_by_itself(name: str) -> None:
    """What stays up says whether it is well; what ends is waited for by its exit code."""
    assert ("healthcheck" in SERVICES[name]) != (name in ONE_SHOT)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_limits_and_a_policy(name: str) -> None:
    """Memory, processors and processes are bounded; what must stay up is restarted."""
    limits = SERVICES[name]["deploy"]["resources"]["limits"]

    assert set(limits) == {"cpus", "memory", "pids"}
    assert "restart" in SERVICES[name] or name == "train"
    assert SERVICES[name]["networks"] == ["stream"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_have_least_privilege(name: str) -> None:
    """A root file system that cannot be written, no capabilities, no new privileges."""
    service = SERVICES[name]

    assert service["read_only"] is (name not in WRITES)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_workers_wait_for_what_they_need() -> None:
    """Healthy servers and made topics come first."""
    healthy = {"condition": "service_healthy"}
    made = {"condition": "service_completed_successfully"}

    assert SERVICES["classify"]["depends_on"] == {"kafka": healthy, "topics-init": made}
    for name in ("archive", "retrain", "monitor", "gateway"):
        assert SERVICES[name]["depends_on"] == {"kafka": healthy, "mongo": healthy, "topics-init": made}
    assert SERVICES["topics-init"]["depends_on"] == {"kafka": healthy}


@pytest.mark.parametrize("name", sorted(OURS - {"topics-init", "grafana-init", "mlflow"}))
def test_who_reads_the_champion_has_its_folder(name: str) -> None:
    """All but what makes topics; the archive too, which holds verdicts to its categories and else takes any code."""
    assert "/data/models" in {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}


def test_ports_are_published_on_this_machine_only() -> None:
    """All on the loopback address; the store and Prometheus, which ask for no password, publish nothing."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "kafka": ["127.0.0.1:9092:9092"],
        "gateway": ["127.0.0.1:8000:8000"],
        "mlflow": ["127.0.0.1:5000:5000"],
        "airflow": ["127.0.0.1:8081:8080"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_there_are_no_secrets() -> None:
    """No password, token or key stands in the compose file or the image's recipe, not even as a default."""
    for text in (TEXT, SECURE_TEXT, DOCKERFILE):
        assert not re.search(r"(?i)(password|passwd|secret|token|api_?key|credential)(?!\w*_FILE:)\w*\s*[:=]", text)
        assert not re.search(r"://[^/\s]*:[^/\s]*@", text)


def test_images_are_pinned() -> None:
    """A version with at least two numbers, never `latest`: the same file gives the same servers."""
    images = {service["image"] for service in SERVICES.values()}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))

    assert all(re.search(r":v?\d+\.\d+\.\d+", image) for image in images), images


def test_every_setting_it_uses_exists() -> None:
    """A variable that was renamed in the code is renamed here too."""
    known = {f"AISLE_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"AISLE_\w+", TEXT + SECURE_TEXT + DOCKERFILE)) <= known


def test_the_health_check_asks_the_port_that_the_worker_serves() -> None:
    """The port in the settings and the one in the check are the same."""
    for name in ("classify", "archive"):
        port = SERVICES[name]["environment"]["AISLE_HEALTH_PORT"]
        assert f"http://127.0.0.1:{port}/health/ready" in SERVICES[name]["healthcheck"]["test"][-1]


def test_the_image_gets_only_what_it_copies() -> None:
    """Each path that the recipe copies from the checkout passes .dockerignore, and exists."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    }

    assert copied
    for path in copied:
        assert (ROOT / path).exists()
        assert path in kept or (path.startswith("requirements") and "requirements*.lock" in kept)


def test_the_image_runs_as_nobody_special() -> None:
    """Its last user is not root, by number, so that a cluster can check it."""
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1] == "10001:10001"


@pytest.mark.parametrize("name", sorted(OBSERVE))
def test_what_observes_starts_only_when_asked_and_has_least_privilege(name: str) -> None:
    """A profile of its own; a root file system that cannot be written, no root, no capabilities."""
    service = SERVICES[name]

    assert service["profiles"] == ["observe"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name in OURS or not service["user"].startswith("0")


def test_prometheus_asks_every_worker_where_it_answers() -> None:
    """The services and the port of its configuration are those of this file, and they listen beyond the loopback."""
    configuration = yaml.safe_load((ROOT / "infra" / "prometheus" / "prometheus.yml").read_text())
    (found,) = configuration["scrape_configs"][0]["dns_sd_configs"]
    workers = {name for name in OURS if SERVICES[name].get("command", [""])[0] == "worker"}

    assert set(found["names"]) == workers
    for name in workers:
        assert SERVICES[name]["environment"]["AISLE_HEALTH_HOST"] == "0.0.0.0"  # noqa: S104 - within the network of the file
        assert SERVICES[name]["environment"]["AISLE_HEALTH_PORT"] == str(found["port"])


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_files_that_are_mounted_exist(name: str) -> None:
    """Docker would make an empty folder of each that does not."""
    mounted = [volume.split(":")[0] for volume in SERVICES[name]["volumes"] if volume.startswith("./")]

    assert mounted
    assert all((ROOT / path).exists() for path in mounted)


def test_grafana_knows_nobody_by_default(tmp_path: Path) -> None:
    """Its admin signs in with what the first start makes: another one each time, and the same ever after."""
    environment = SERVICES["grafana"]["environment"]
    (made,) = SERVICES["grafana-init"]["volumes"]
    program = SERVICES["grafana-init"]["entrypoint"][-1].replace("/data/", f"{tmp_path}/")

    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/aisle/admin"  # noqa: S105 - a file
    assert made.split(":")[0] in {volume.split(":")[0] for volume in SERVICES["grafana"]["volumes"]}
    subprocess.run([sys.executable, "-c", program], check=True)
    first = (tmp_path / "admin").read_text()
    subprocess.run([sys.executable, "-c", program], check=True)
    assert first == (tmp_path / "admin").read_text()
    assert len(first) >= 30


@pytest.mark.parametrize("name", ["mlflow", "airflow"])
def test_what_not_everybody_wants_starts_only_when_asked(name: str) -> None:
    """By a profile of its name."""
    assert [name] == SERVICES[name]["profiles"]


def test_mlflow_has_no_queue_and_tells_nobody() -> None:
    """As its page that `aisle models ui` opens: its queue would be eight more processes, and all of them 1.2 GB."""
    environment = SERVICES["mlflow"]["environment"]

    assert "false" == environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"]
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        assert QUIET[name] == environment[name]


def test_airflow_has_the_dags_and_the_commands_that_they_call() -> None:
    """The folder is mounted where it looks, and its image is made with aisle's environment on the path."""
    airflow = SERVICES["airflow"]

    assert f"./infra/airflow:{airflow['environment']['AIRFLOW__CORE__DAGS_FOLDER']}:ro" in airflow["volumes"]
    assert list((ROOT / "infra" / "airflow").glob("*.py"))
    stage = DOCKERFILE.partition("AS airflow\n")[2].partition("\nFROM")[0]
    assert "COPY --from=build /opt/aisle /opt/aisle" in stage
    assert "RUN aisle --version" in stage
    assert airflow["build"]["target"] == "airflow"
    assert {"aisle"} == {SERVICES[name]["build"]["target"] for name in OURS - {"airflow"}}


@pytest.mark.parametrize("name", sorted(OURS - {"grafana-init", "mlflow"}))
def test_every_process_proves_itself_in_the_secure_form(name: str) -> None:
    """By settings that the code takes, with files of its volumes; what speaks to Kafka alone has none of the store."""
    service = BOTH["services"][name]
    environment = service["environment"]
    given = {key.removeprefix("AISLE_").lower(): value for key, value in environment.items() if "AISLE_" in key}
    # What the caller's environment may say, and else is empty, counts as unset.
    given = {key: None if value.startswith("${") else value for key, value in given.items()}
    settings = Settings.model_validate(given)

    assert ("SASL_SSL", "aisle") == (settings.kafka_security_protocol, settings.kafka_user)
    assert ("AISLE_MONGODB_USER" in environment) == (name not in ("topics-init", "classify"))
    for key, path in environment.items():
        if key.endswith("_FILE"):
            folder, file = path.rsplit("/", 1)
            (volume,) = (one.split(":")[0] for one in service["volumes"] if one.split(":")[1:] == [folder, "ro"])
            assert file in compose_secrets._files()[volume.removeprefix("secrets-")]


def test_servers_ask_who_one_is_in_the_secure_form() -> None:
    """Every listener of the broker is SASL_SSL and knows its users; the store wants TLS and makes its users at once."""
    kafka, mongo = BOTH["services"]["kafka"], BOTH["services"]["mongo"]
    environment = kafka["environment"]
    listeners = [one.split(":")[0] for one in environment["KAFKA_LISTENERS"].split(",")]

    assert {f"{name}:SASL_SSL" for name in listeners} == set(
        environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    properties = compose_secrets._files()["kafka"]["server.properties"]
    assert {name.lower() for name in listeners} == set(
        re.findall(r"^listener\.name\.(\w+)\.", properties, re.MULTILINE)
    )
    assert "SSL://" not in environment["KAFKA_ADVERTISED_LISTENERS"]  # the image would want key stores of its own kind
    assert "--tlsMode=requireTLS" in mongo["command"]
    assert {"MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD_FILE"} == set(mongo["environment"])
    wait = {"condition": "service_completed_successfully"}
    assert kafka["depends_on"]["secrets-init"] == mongo["depends_on"]["secrets-init"] == wait


def test_secrets_are_made_once_and_are_their_owners_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """New ones at the first start, the same ever after, and no half of them when a volume is new."""
    owners: dict[str, int] = {}
    monkeypatch.setattr("infra.compose_secrets.os.chown", lambda path, user, _group: owners.update({str(path): user}))
    for name in compose_secrets.OWNERS:
        (tmp_path / name).mkdir()

    assert compose_secrets.make(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    first = {path: path.read_text() for path in files}
    assert not compose_secrets.make(tmp_path)

    assert first == {path: path.read_text() for path in files}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
    assert all(owners[str(path)] == compose_secrets.OWNERS[path.parent.name] for path in files)
    (tmp_path / "mongo" / "made").unlink()
    with pytest.raises(RuntimeError, match="remove all of them"):
        compose_secrets.make(tmp_path)


def test_a_start_that_was_killed_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders that were given away by then are taken back first: without FOWNER only an owner changes the mode."""
    owners: dict[str, int] = {}
    change = Path.chmod

    def chmod(path: Path, mode: int) -> None:
        if owners.get(str(path), os.getuid()) != os.getuid():
            raise PermissionError(path)
        change(path, mode)

    def write(path: Path, *_rest: Any) -> None:
        if path.parent.name == "store":
            raise KeyboardInterrupt
        path.touch()

    monkeypatch.setattr("infra.compose_secrets.os.chown", lambda path, user, _group: owners.update({str(path): user}))
    monkeypatch.setattr(Path, "chmod", chmod)
    for name in compose_secrets.OWNERS:
        (tmp_path / name).mkdir()
    with monkeypatch.context() as killed:
        killed.setattr(compose_secrets, "_write", write)
        with pytest.raises(KeyboardInterrupt):
            compose_secrets.make(tmp_path)

    assert compose_secrets.make(tmp_path)
    assert compose_secrets.OWNERS == {name: owners[str(tmp_path / name)] for name in compose_secrets.OWNERS}


def test_secrets_are_made_with_no_more_rights_than_that_takes() -> None:
    """Without a network, and with the capabilities to give files away and to look at them again."""
    init = SECURE["services"]["secrets-init"]
    mounted = {volume.split(":")[1] for volume in init["volumes"]}

    assert ("none", ["ALL"], ["CHOWN", "DAC_OVERRIDE"]) == (init["network_mode"], init["cap_drop"], init["cap_add"])
    assert init["read_only"] is True
    assert {f"/secrets/{name}" for name in compose_secrets.OWNERS} == mounted
