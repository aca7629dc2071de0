"""A durable store is had where it can be, and missed with a clear word elsewhere."""

from pathlib import Path

import pytest

from tests.chaos.durable_store import FOLDER, NotHere, build


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without go and debootstrap nothing is downloaded and nothing fails: the check is skipped, saying why."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(FOLDER, str(tmp_path / "nothing-yet"))

    with pytest.raises(NotHere, match="go, debootstrap"):
        build()

    assert not (tmp_path / "nothing-yet").exists()
