"""The report's page and model card: whole, alone, and safe whatever is in them."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import Manifest
from model.evaluation import evaluate
from model.report.build import HeldOut, build_report
from model.report.charts import MAX_MATRIX_CLASSES, Scale, matrix
from model.report.formats import FORMATS, MINUS, NONE
from model.report.page import html_page, model_card
from model.report.rivals import Rival
from model.report.schema import DataCard, StageReport, TrainingReport
from model.report.write import write_report
from model.rows import Rows

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table></title></style><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "a" * 20_000,
    "שלום \u202eevil",
    "\x00\x1b[31m",
    "",
]
DATA = DataCard(
    file="foods.csv", sha256="ab" * 32, rows=100, train=70, validation=10, test=20, skipped=3,
    classes={"tea": 60, "wine": 40}, missing={"title": 1, "description": 25, "image": 100}, duplicates=12,
    conflicting=2, languages={"fr": 90, "": 10},
)  # fmt: skip
STAGES = [
    StageReport(name="text", kept=True, weighted_f1=0.8, rows_per_s=9_000, size_bytes=1_234_567, training_s=42),
    StageReport(name="image", kept=False, why="No row has a photo."),
]
SECTIONS = {
    *("comparison", "stages", "themes", "categories", "confusion", "confidence", "slices", "mistakes", "data"),
    "repeat",
}


class _Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def sections(self) -> set[str]:
        """Ids of the sections."""
        return {str(attributes["id"]) for tag, attributes in self.tags if tag == "section"}


def _report(
    titles: list[str] = HOSTILE, labels: tuple[str, ...] = ("Tea", "Wine"), themes: tuple[str, ...] = (), **parts: Any
) -> TrainingReport:
    """Every second answer is wrong."""
    rows, classes = len(titles), len(labels)
    truth = np.zeros(rows, np.int64)
    probabilities = np.full((rows, classes), 0.1 / (classes - 1))
    probabilities[np.arange(rows), np.arange(rows) % 2] = 0.9
    categories = [(label.lower(), label) for label in labels]
    construct: Any = Manifest.model_construct
    manifest: Manifest = construct(
        name="shelf",
        version="",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        seed=7,
        auto_accept_precision=0.95,
        categories=[None] * classes,
        prior=[1 / classes] * classes,
        libraries={"numpy": "2.4"},
    )
    held_out = HeldOut(Rows(titles, [""] * rows), probabilities, truth)
    return build_report(manifest, evaluate(probabilities, truth, categories, 0.5, themes), held_out, **parts)


def test_titles_of_strangers_stay_text() -> None:
    """No tag, no attribute and no template is made of them, and the page shows them as they are."""
    page = _Page(html_page(_report([title for title in HOSTILE for _ in range(2)])))

    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.tags)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    for title in HOSTILE[:4]:
        assert title in page.text
    assert "a" * 199 + "…" in page.text
    assert "a" * 200 not in page.text
    assert "שלום ·evil" in page.text
    assert {"\x00", "\x1b", "\u202e"}.isdisjoint(page.text)
    assert [] == page.open


def test_labels_and_names_stay_text_too() -> None:
    """They are in tables, pictures and the model card; Markdown would pass HTML on."""
    label = '<script>alert("x")</script> a|b *c* [d](javascript:e)'
    report = _report(["one", "two"], (label, "Wine"), settings={"<b>": "<i>"}, command="aisle <train>")
    page, card = _Page(html_page(report)), model_card(report)

    assert {"script", "b", "i", "train"}.isdisjoint(tag for tag, _ in page.tags)
    assert label in page.text
    assert "<" not in card
    assert "a\\|b \\*c\\* \\[d\\](javascript:e)" in card


def test_the_page_needs_nothing_else() -> None:
    """No script, no address, and a policy that forbids both should one ever slip in."""
    page = html_page(_report(["one", "two"], data=DATA))

    assert "default-src 'none'" in page
    assert [] == re.findall(r"https?://|url\(|@import|<script|<link|\bsrc=", page)


def test_every_part_has_its_section() -> None:
    """With all inputs all sections are there, and the links above lead to each."""
    rival = Rival("former", "champion", np.zeros(8, np.int64))
    report = _report(
        labels=("Tea", "Wine", "Book"), themes=("drinks", "drinks", "paper"), rivals=[rival], data=DATA, stages=STAGES
    )
    page = _Page(html_page(report))
    card = model_card(report)

    assert SECTIONS == page.sections
    assert {"#" + name for name in SECTIONS} == {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    for text in ("No row has a photo.", "1.2 MB", "42.0 s", "9,000", "former", "foods.csv", "unknown 10"):
        assert text in page.text
    for text in ("No row has a photo.", "former", "foods.csv", f"| Book | book | 0 | {NONE} |", "accuracy by theme"):
        assert text in card


def test_parts_that_are_not_known_are_left_out() -> None:
    """What remains is what scores alone can say."""
    report = _report(["one", "two"])
    page = _Page(html_page(report))

    assert {"categories", "confusion", "confidence", "mistakes", "repeat"} == page.sections
    assert "#data" not in html_page(report)
    assert [
        "# Model card: shelf",
        *("## " + name for name in ("What it does", "How good it is", "Categories", "How to repeat it")),
    ] == [line for line in model_card(report).splitlines() if line.startswith("#")]


def test_a_model_without_mistakes_says_so() -> None:
    """One right row is the smallest test side."""
    page = _Page(html_page(_report(["one"])))

    assert "mistakes" not in page.sections
    assert "No answer is wrong." in page.text


def test_too_many_categories_have_no_picture() -> None:
    """The page stays small, and says where the whole matrix is."""
    report = _report(["one", "two"], tuple(f"c{number}" for number in range(MAX_MATRIX_CLASSES + 1)))

    assert matrix(report.evaluation) is None
    assert "the JSON beside this page has the whole matrix" in html_page(report)


def test_the_matrix_has_themes_side_by_side() -> None:
    """Its rows are ordered by theme, its cells lie in the rows and columns that they count."""
    report = _report(["one", "two"], ("Tea", "Book", "Wine"), ("drinks", "paper", "drinks"))
    drawn = matrix(report.evaluation)

    assert drawn is not None
    assert ["Tea", "Wine", "Book"] == [label for _, label, _ in drawn.labels]
    assert [(0, 0, "1", True), (2, 0, "1", False)] == [
        ((cell.x - drawn.left) // drawn.side, cell.y // drawn.side - 1, cell.count, cell.right) for cell in drawn.cells
    ]


def test_a_scale_ends_at_its_edges() -> None:
    """Figures outside lie on the edge, so that no mark leaves its picture."""
    scale = Scale(0.5, 1.0, 100, 200)

    assert [100, 100, 150, 200] == [scale(figure) for figure in (0.2, 0.5, 0.75, 1.0)]
    assert (100, "50%") == scale.ticks[0]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("figure", None, NONE),
        ("whole", 1234.5, "1,234"),
        ("signed", -0.0123, MINUS + "0.012"),
        ("size", 999, "999 B"),
        ("size", 5_300_000_000, "5.3 GB"),
        ("duration", 12.34, "12.3 s"),
        ("duration", 600, "10 min"),
        ("duration", 36_000, "10.0 h"),
    ],
)
def test_figures_are_written_for_people(name: str, value: float | None, expected: str) -> None:
    """Units fit the size; what was not measured is a dash."""
    assert expected == FORMATS[name](value)


def test_the_files_are_written(tmp_path: Path) -> None:
    """A page, its JSON and the model card; the JSON is the report."""
    report = _report()
    write_report(report, tmp_path / "report")

    assert {"report.html", "report.json", "model-card.md"} == {path.name for path in (tmp_path / "report").iterdir()}
    assert report == TrainingReport.model_validate_json((tmp_path / "report" / "report.json").read_bytes())
    with pytest.raises(FileExistsError):
        write_report(report, tmp_path / "report")
