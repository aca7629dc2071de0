"""docs/failures.md: every row names a test, and the test exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "failures.md"
_TEST = re.compile(r"`((?:unit|integration|chaos)/\w+\.py)::(\w+)`")


def rows() -> list[list[str]]:
    """The cells of every row of every table, without the heads."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "what goes wrong" and set(row[0]) != {"-"}]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_failure_has_a_test_that_exists(row: list[str]) -> None:
    """Five cells, none empty; the last names at least one test function of this repository."""
    assert 5 == len(row)
    assert all(row)
    named = _TEST.findall(row[4])
    assert named, f"no test is named in {row[4]!r}"
    for path, name in named:
        tree = ast.parse((ROOT / "tests" / path).read_text())
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, f"{path} has no test {name}"


def test_there_are_failures_to_speak_of() -> None:
    """The page is read as it is meant: a changed form would pass the tests above by having no rows."""
    assert len(rows()) > 25
