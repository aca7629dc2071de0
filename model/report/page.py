"""The report as people read it: an HTML page that needs nothing else, and a model card in Markdown."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from model.report.charts import coverage_plot, matrix, reliability_plot, slice_scale
from model.report.formats import FORMATS
from model.report.schema import CoveragePoint, TrainingReport

if TYPE_CHECKING:
    from jinja2 import Environment

CURVE_SHARES: Final = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Parts of the products without review that the page's table names a threshold for."""

_STAGE_FIGURES: Final = (
    ("accuracy", "Accuracy alone", "share"),
    ("weighted_f1", "Weighted F1 alone", "figure"),
    ("asked_share", "Rows that reach it", "share"),
    ("rows_per_s", "Rows/s", "whole"),
    ("size_bytes", "Size", "size"),
    ("training_s", "Trained in", "duration"),
)
_MARKDOWN: Final[Mapping[int, str]] = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": " "} | {char: "\\" + char for char in "\\`*_[]|~#$"}
)


def html_page(report: TrainingReport) -> str:
    """The report on one page, without scripts, fonts or pictures from elsewhere."""
    return render(
        "page.html",
        **_shared(report),
        matrix=matrix(report.evaluation),
        reliability=reliability_plot(report),
        coverage=coverage_plot(report),
        curve_points=_curve_points(report),
        with_speeds=any(comparison.rows_per_s is not None for comparison in report.comparisons),
        slice_scale=slice_scale(report.slices) if report.slices else None,
    )


def render(template: str, **values: Any) -> str:
    """A page from a template, with the style that all of them share."""
    from markupsafe import Markup

    css = files("model.report").joinpath("templates/page.css").read_text(encoding="utf-8")
    return _html().get_template(template).render(css=Markup(css), **values)  # noqa: S704 - our own file


def model_card(report: TrainingReport) -> str:
    """The model card (Mitchell et al. 2019, "Model Cards for Model Reporting")."""
    return _markdown().get_template("card.md").render(**_shared(report))


def markdown_text(value: object) -> object:
    """Text that Markdown shows as it is, whatever signs are in it; other values pass."""
    return value.translate(_MARKDOWN) if isinstance(value, str) else value


@cache
def _html() -> "Environment":
    return _environment(autoescape=True)


@cache
def _markdown() -> "Environment":
    # Whatever a template puts out is escaped, so that no label can be forgotten.
    return _environment(autoescape=False, finalize=markdown_text)


def _environment(**options: Any) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("model.report")
    environment = Environment(  # noqa: S701 - the callers choose
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )
    environment.filters |= FORMATS
    return environment


def _shared(report: TrainingReport) -> dict[str, Any]:
    """What page and model card both read: labels by code, and of the stages' figures those that are known."""
    return {
        "report": report,
        "labels": {score.code: score.label for score in report.evaluation.classes},
        "stage_columns": [
            (name, title, FORMATS[write])
            for name, title, write in _STAGE_FIGURES
            if any(getattr(stage, name) is not None for stage in report.stages)
        ],
    }


def _curve_points(report: TrainingReport) -> list[CoveragePoint]:
    """The points of the curve next to ``CURVE_SHARES``, each once."""
    nearest = [min(report.coverage, key=lambda point: abs(point.coverage - share)) for share in CURVE_SHARES]
    return list(dict.fromkeys(nearest))
