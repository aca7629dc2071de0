"""`aisle data` as a person or a script uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.settings import load_settings
from model.errors import DataInvalid
from scripts.data import command


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory of the test's own."""
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path / "var"))
    load_settings.cache_clear()
    yield tmp_path / "var"
    load_settings.cache_clear()


def _data(*arguments: object) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments)], catch_exceptions=False)


def test_make_split_and_check_fit_80_columns(tmp_path: Path, data_dir: Path) -> None:
    """One after the other as the manual has it; the check leaves the folder that it looks at as it was."""
    made = _data("make", tmp_path / "shop.csv", "--rows", 400, "--photos", "--broken-photos", 0.1)
    cut = _data("split", tmp_path / "shop.csv", "--out", tmp_path / "parts")
    before = sorted(tmp_path.rglob("*"))
    parts = sorted((tmp_path / "parts").glob("*.csv"))
    checked = _data("check", *parts)

    assert f"{tmp_path / 'shop.csv'}: 400 products, seed 0" == made.stdout.splitlines()[0]
    assert ["train", "validation", "test", "unseen"] == [line.split()[0] for line in cut.stdout.splitlines()[1:5]]
    assert "pool and spa" in checked.stdout
    assert "photos that are cut off or damaged" in checked.stdout
    shown = [line for line in checked.stdout.splitlines() if str(tmp_path) not in line]
    assert max(map(len, shown)) <= 80
    assert [data_dir / "checks" / "test-train-unseen-validation.png"] == list((data_dir / "checks").iterdir())
    assert before == sorted(path for path in tmp_path.rglob("*") if data_dir not in path.parents and path != data_dir)


def test_check_as_json(tmp_path: Path, data_dir: Path) -> None:
    """A script gets every figure and the picture's place; nothing is drawn that was not wanted."""
    _data("make", tmp_path / "shop.jsonl", "--rows", 40, "--label-noise", 0)
    checked = _data("check", tmp_path / "shop.jsonl", "--json", "--picture", tmp_path / "a.png")
    plain = _data("check", tmp_path / "shop.jsonl", "--json", "--no-picture")

    printed = json.loads(checked.stdout)
    assert (40, str(tmp_path / "a.png")) == (printed["files"][0]["rows"], printed["picture"])
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert json.loads(plain.stdout)["picture"] is None
    assert not data_dir.exists()


def test_findings_matter_only_when_told(tmp_path: Path) -> None:
    """The exit status is 0 for any file that can be read, and with --strict only for one without findings."""
    path = tmp_path / "a.csv"
    path.write_text("title,category\n" + "".join(f"titre {chr(97 + n)},10\n" for n in range(12)), encoding="utf-8")
    fine = _data("check", path, "--no-picture", "--strict")
    with path.open("a", encoding="utf-8") as file:
        file.write("titre a,40\n")

    assert (0, "nothing wrong was found") == (fine.exit_code, fine.stdout.splitlines()[-1])
    assert 0 == _data("check", path, "--no-picture").exit_code
    assert 1 == _data("check", path, "--no-picture", "--strict").exit_code


def test_make_and_split_as_json(tmp_path: Path) -> None:
    """Places and counts."""
    made = json.loads(_data("make", tmp_path / "shop.parquet", "--rows", 50, "--json").stdout)
    cut = json.loads(_data("split", tmp_path / "shop.parquet", "--out", tmp_path / "parts", "--json").stdout)

    assert (50, 0, None) == (made["rows"], made["photos"], made["folder"])
    assert 50 == sum(part["rows"] for part in cut["parts"].values())
    assert str(tmp_path / "parts" / "unseen.parquet") == cut["parts"]["unseen"]["file"]


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    """Both that write say so, and that --force would."""
    _data("make", tmp_path / "shop.csv", "--rows", 30)
    _data("split", tmp_path / "shop.csv", "--out", tmp_path)

    for arguments in (("make", tmp_path / "shop.csv"), ("split", tmp_path / "shop.csv", "--out", tmp_path)):
        with pytest.raises(DataInvalid, match="exists") as refused:
            _data(*arguments)
        assert "--force" in refused.value.hint
