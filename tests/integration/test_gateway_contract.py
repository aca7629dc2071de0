"""The API held to its own OpenAPI document, in every role, by requests that are generated from it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import randrange

import pytest

from schemas.http.account import Role
from tests.integration.conftest import Services
from tests.integration.gateways import Gateway, serving

pytestmark = [pytest.mark.integration, pytest.mark.contract, pytest.mark.timeout(600)]

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
NOT_CALLED = r"^/api/v1/(live|me/keys/\{key_id\})$"  # one never ends, the other would end the key that is called with


@pytest.fixture(scope="module")
def gateway(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway of this module's own; products are published and nobody answers them."""
    data_dir = tmp_path_factory.mktemp("gateway")
    with serving(
        services.kafka_bootstrap,
        services.mongodb_uri,
        data_dir,
        gateway_answer_s=0.05,
        gateway_tries_per_minute=100_000,
        gateway_sign_up=True,
        taxonomy=Path("schemas/taxonomy.csv").resolve(),
    ) as gateway:
        yield gateway


@dataclass(frozen=True)
class Run:
    """One role's requests: the program that makes them, and where it prints."""

    program: subprocess.Popen[bytes]
    printed: Path
    seed: int


@pytest.fixture(scope="module")
def runs(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Role, Run]]:
    """All roles at once, each in a process of one thread: ``ast.parse`` is not safe in threads before Python 3.13."""
    program = shutil.which("st", path=str(Path(sys.executable).parent))
    assert program is not None
    runs: dict[Role, Run] = {}
    try:
        for role in Role:
            folder = tmp_path_factory.mktemp(f"contract-{role}")
            printed = folder / "printed.txt"
            seed = randrange(1_000_000)
            command = [
                program,
                "run",
                f"{gateway.url}/api/v1/openapi.json",
                *("--header", f"Authorization: Bearer {gateway.keys[role]}"),
                *("--checks", ",".join(CHECKS)),
                *("--exclude-path-regex", NOT_CALLED),
                *("--phases", "examples,coverage,fuzzing"),
                *("--max-examples", "2"),
                *("--workers", "1"),
                *("--generation-database", "none"),
                *("--seed", str(seed)),
                "--no-color",
            ]
            with printed.open("wb") as out:
                started = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
            runs[role] = Run(started, printed, seed)
        yield runs
    finally:
        for run in runs.values():
            run.program.kill()
            run.program.wait()


@pytest.mark.parametrize("role", Role)
def test_no_request_breaks_the_contract(runs: dict[Role, Run], role: Role) -> None:
    """No server error, no answer that the document does not have, in any role."""
    run = runs[role]
    status = run.program.wait()
    assert 0 == status, f"seed {run.seed}\n{run.printed.read_text()[-8_000:]}"
