"""The compose file: valid by the specification, with health checks, pinned images and no secrets."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest
import yaml

from infra.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ONE_SHOT = {"topics-init", "train"}
OURS = {name for name, service in SERVICES.items() if "build" in service}


def test_it_is_valid_by_the_compose_specification() -> None:
    """The specification's own schema, kept in tests/data, finds nothing."""
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text())

    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_the_schema_notices_a_mistake() -> None:
    """The check above would fail on a misspelt key: the schema is in force."""
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text())
    broken = COMPOSE | {"services": {"kafka": SERVICES["kafka"] | {"helthcheck": {}}}}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(broken)


def test_every_process_of_aisle_has_a_service() -> None:
    """One service a worker, with the command that runs it, and one that makes the topics."""
    commands = {" ".join(SERVICES[name].get("command", [])) for name in OURS}

    assert commands >= {"worker classify", "worker archive", "topics create"}


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

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_workers_wait_for_what_they_need() -> None:
    """Healthy servers and made topics come first."""
    healthy = {"condition": "service_healthy"}
    made = {"condition": "service_completed_successfully"}

    assert SERVICES["classify"]["depends_on"] == {"kafka": healthy, "topics-init": made}
    assert SERVICES["archive"]["depends_on"] == {"kafka": healthy, "mongo": healthy, "topics-init": made}
    assert SERVICES["topics-init"]["depends_on"] == {"kafka": healthy}


def test_ports_are_published_on_this_machine_only() -> None:
    """Kafka answers on the loopback address; the store, which has no password, publishes nothing."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"kafka": ["127.0.0.1:9092:9092"]}


def test_there_are_no_secrets() -> None:
    """No password, token or key stands in the compose file or the image's recipe, not even as a default."""
    for text in (TEXT, DOCKERFILE):
        assert not re.search(r"(?i)(password|passwd|secret|token|api_?key|credential)\w*\s*[:=]", text)
        assert not re.search(r"://[^/\s]*:[^/\s]*@", text)


def test_images_are_pinned() -> None:
    """A version with at least two numbers, never `latest`: the same file gives the same servers."""
    images = {service["image"] for service in SERVICES.values()}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))

    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in images), images


def test_every_setting_it_uses_exists() -> None:
    """A variable that was renamed in the code is renamed here too."""
    known = {f"AISLE_{name.upper()}" for name in Settings.model_fields}
    settings = {name for service in OURS for name in SERVICES[service]["environment"]}

    assert settings <= known
    assert set(re.findall(r"AISLE_\w+", TEXT + DOCKERFILE)) <= known


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
