"""Hostile requests at a gateway in a process of its own, and pages over a store full of script; in the small form.

The whole is ``make bench ARGS=requests``. Each runs in a process of its own, as a browser's loop and others do not get
along in one.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import CHROMIUM
from tests.integration.conftest import Services

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def run(services: Services, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module with the session's broker and store."""
    place = ("--kafka", services.kafka_bootstrap, "--mongodb", services.mongodb_uri)
    command = [sys.executable, "-m", module, *place, *arguments]
    return subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.contract
def test_hostile_requests_break_no_promise(services: Services) -> None:
    """No server error, nothing read or stored that should not be, nothing hung, memory bounded."""
    done = run(services, "tests.hostile", "--count", "600")
    assert 0 == done.returncode, done.stdout[-8_000:] + done.stderr[-4_000:]


@pytest.mark.browser
def test_hostile_texts_run_on_no_page(services: Services) -> None:
    """Each page shows them, and nothing of them runs, asks elsewhere or breaks the page."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    done = run(services, "tests.hostile.pages")
    assert 0 == done.returncode, done.stdout[-8_000:] + done.stderr[-4_000:]
