"""`check_files`: what is in data files, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from model.data.check import check_files
from model.data.check_picture import draw_check
from model.data.languages import UNSURE, language_of
from model.data.photo_files import check_photo, find_photo
from model.errors import DataInvalid

TITLES = ("Piscine tubulaire ronde 305 cm", "Table de jardin en teck", "Tondeuse à gazon électrique", "Parasol déporté")


def _file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _rows(category: str = "2583", count: int = 12, **more: Any) -> list[dict[str, Any]]:
    """Rows whose titles have no two words alike, up to 26 of a category."""
    end = "".join(chr(97 + int(digit)) for digit in category if digit.isdigit())
    return [{"title": chr(97 + n) * 3 + end, "category": category, **more} for n in range(count)]


def test_a_clean_file_has_no_findings(tmp_path: Path) -> None:
    """It is counted, and nothing is made up."""
    path = _file(tmp_path / "a.jsonl", [*_rows("2583", 24), *_rows("40", 12, description="<b>Neuf</b>")])
    checked = check_files([path])

    (file,) = checked.files
    assert [] == checked.findings
    assert 36 == file.rows
    assert [("2583", "pool and spa", 24), ("40", "video games", 12)] == [
        (count.category, count.label, count.rows) for count in file.classes
    ]
    assert {"title": 0, "description": 24, "image": 36} == file.missing
    assert (0, 0, 0, 0, {}) == (file.same_title, file.near_title, file.repeated, file.conflicts, file.photos)
    assert file.description_chars is not None
    assert (4, 4) == (file.description_chars.median, file.description_chars.longest)


def test_duplicates_and_conflicts_are_told_apart(tmp_path: Path) -> None:
    """A whole row again, the same title in other clothes, the same words, and one title in two categories."""
    again = {"title": "Spa gonflable 4 places", "description": "bleu", "category": "2583"}
    rows = [
        *(again, again),
        {**again, "title": "SPA  gonflable 4 places", "description": "vert"},
        {**again, "title": "gonflable SPA 6 places"},
        {**again, "title": "spa gonflable 4 places", "category": "1302"},
    ]
    checked = check_files([_file(tmp_path / "a.jsonl", _rows() + _rows("1302") + rows)])

    (file,) = checked.files
    assert (1, 4, 1) == (file.repeated, file.same_title, file.near_title)
    assert (1, 4) == (file.conflicts, file.conflicting_rows)
    assert {"2583": 3, "1302": 1} == file.conflict_examples[0].categories
    assert [
        "a.jsonl: rows that repeat an earlier one in all parts: 1",
        "a.jsonl: rows whose title stands in several categories: 4",
    ] == checked.findings


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    """Rows without a category or without anything, rows that are no rows, and categories that are too small."""
    path = _file(tmp_path / "a.jsonl", [*_rows(), *_rows("40", 3), {"title": "Seul"}, {"title": " ", "category": "40"}])
    with path.open("a", encoding="utf-8") as file:
        file.write("{\n")
    checked = check_files([path])

    assert [
        "a.jsonl: rows that cannot be read: 1",
        "a.jsonl: rows without title, description and photo: 1",
        "a.jsonl: rows without a category: 1",
        "categories with fewer than 10 rows: 1 (video games)",
    ] == checked.findings


def test_titles_in_two_files_are_leaks(tmp_path: Path) -> None:
    """They are counted in the later file, however they are spelled there; near ones apart."""
    train = [{"title": title, "category": "2582"} for title in TITLES * 3]
    titles = "TABLE de  jardin en teck", "En teck, table de jardin 2", "Banc"
    test = [{"title": title, "category": "2582"} for title in titles]
    checked = check_files([_file(tmp_path / "train.jsonl", train), _file(tmp_path / "test.jsonl", test)])

    (leak,) = checked.leaks
    assert (1, 1) == (leak.rows, leak.near)
    assert pytest.approx(1 / 3) == leak.share
    assert "test.jsonl: rows with a title of train.jsonl: 1 (33.3%)" in checked.findings


def test_photos_are_looked_at_below_the_file_only(tmp_path: Path) -> None:
    """One that is cut off, that is something else, that is gone or that lies elsewhere is named by its state."""
    folder = tmp_path / "shop"
    folder.mkdir()
    Image.effect_mandelbrot((200, 200), (-2, -1, 1, 1), 50).save(folder / "fine.jpg")
    (folder / "cut.jpg").write_bytes((folder / "fine.jpg").read_bytes()[:-400])
    (folder / "page.jpg").write_text("<html>")
    Image.new("1", (9_000, 9_000)).save(folder / "bomb.png")
    (tmp_path / "secret.jpg").write_bytes((folder / "fine.jpg").read_bytes())
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    names = {
        "fine.jpg": "fine",
        "cut.jpg": "broken",
        "page.jpg": "not a photo",
        "bomb.png": "too large",
        "gone.jpg": "not found",
        "../secret.jpg": "outside",
        str(tmp_path / "secret.jpg"): "outside",
        "link.jpg": "outside",
        "https://example.org/a.jpg": "elsewhere",
        "a" * 5_000: "not found",
    }
    states = {
        name: check_photo(found) if isinstance(found := find_photo(folder, name), Path) else found for name in names
    }
    rows = [{"title": f"Produit {name[:9]}", "image": name} for name in names]
    checked = check_files([_file(folder / "a.jsonl", rows)])

    assert names == states
    assert {"outside": 3, "not found": 2} == {
        state: checked.files[0].photos[state] for state in ("outside", "not found")
    }
    assert "a.jsonl: photos that are cut off or damaged: 1" in checked.findings
    assert not [finding for finding in checked.findings if "fine" in finding]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("table de jardin pliante en bois avec quatre chaises", "fr"),
        ("wireless gaming mouse with charging dock for your desk", "en"),
        ("bettwäsche aus baumwolle für das schlafzimmer", "de"),
        ("zapatillas de deporte para niños con cierre", "es"),
        ("xk-4410", UNSURE),
        ("", UNSURE),
    ],
)
def test_languages_are_guessed(text: str, language: str) -> None:
    """Without a network, and "unsure" where the text does not tell."""
    assert language == language_of(text)


def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """Like everywhere."""
    with pytest.raises(DataInvalid, match=r"gone\.csv does not exist"):
        check_files([tmp_path / "gone.csv"])


def test_the_picture_is_drawn_of_anything(tmp_path: Path) -> None:
    """Also where there is nothing to draw: no category, no description, more categories than have room."""
    many = [row for code in range(45) for row in _rows(f"class {code}", 2)]
    files = [_file(tmp_path / "a.jsonl", [{"title": "Banc"}]), _file(tmp_path / "b.jsonl", many)]
    draw_check(check_files(files), tmp_path / "pictures" / "check.png")

    with Image.open(tmp_path / "pictures" / "check.png") as picture:
        assert picture.width > 1_000
