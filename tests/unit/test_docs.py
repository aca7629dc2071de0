"""The documentation and the code say the same: commands, targets, snippets, and pages that are made from the code."""

import ast
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from infra.settings_table import settings_rows
from scripts import schema
from tests.commands import aisle_commands, parsed
from tests.tutorial import PAGE as TUTORIAL
from tests.tutorial import steps

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`((?:aisle|make) [a-z][^`]*)`(?!`)")
_RUNS = re.compile(r"(?:^|[|;&]\s*|-- |exec [\w-]+ )(?:[A-Z_]+=\S+ )*(?=aisle\b)")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")

PROSE = {"text", ""}
"""Output as it was seen, and drawings: nobody parses them."""

DIRECTIVES = {"{toctree}", "{image}", "{include}"}
"""What the site's generator reads: a wrong one is a warning of it, and so an error of `make docs`."""

NOT_COMMANDS = {
    "make targets",  # a heading's words
}
"""Inline code that begins like a command and is none."""

OF_OTHERS = {"AISLE_URL", "AISLE_KEY", "AISLE_TEST_SECURE"}
"""Variables that docs/examples and the tests read; what aisle itself reads is in its settings."""

IN_PASSING = (click.BadParameter, click.BadOptionUsage, click.exceptions.NoArgsIsHelpError)
"""A sentence may name a group, and leave out arguments and values."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    text: str


def blocks() -> Iterator[Block]:
    """Every fenced block, without its indentation."""
    for page in PAGES:
        for indent, info, text in _FENCE.findall(page.read_text(encoding="utf-8")):
            plain = re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)
            yield Block(page, (info.split() or [""])[0], plain)


def commands(block: Block) -> Iterator[str]:
    """The command lines of a shell block: whole ones, without prompts, comments and here-documents."""
    text = re.sub(r"\\\n\s*", " ", block.text)
    text = re.sub(r"<<'(\w+)'[^\n]*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in text.splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        if command := line.removeprefix("$ ").strip().partition(" # ")[0]:
            yield re.sub(r"\bRUN\b", "1", command)  # the reader's own, where a number is checked


SHELL = [block for block in blocks() if block.language in {"sh", "console"}]
COMMANDS = [(block.page.name, command) for block in SHELL for command in commands(block)]
INLINE = sorted(
    {
        (page.name, " ".join(found.split()))
        for page in PAGES
        if page.name not in {"cli.md", "CHANGELOG.md"}
        for found in _INLINE.findall(page.read_text(encoding="utf-8"))
    }
)


def make_targets(command: str) -> list[str]:
    """The targets that a line of shell makes."""
    words = shlex.split(command)
    if words[:1] != ["make"]:
        return []
    return [word for word in words[1:] if "=" not in word and not word.startswith("-")]


def refusal(line: str, forgiven: tuple[type[click.UsageError], ...] = ()) -> str | None:
    """Why the command line, or the Makefile, would not take a line of shell; "aisle" may be a name of others' too."""
    runs = _RUNS.search(line)
    try:
        for arguments in aisle_commands(line[runs.end() :]) if runs else []:
            parsed(arguments)
    except forgiven:
        return None
    except click.exceptions.Exit:  # it asks for help
        return None
    except (click.UsageError, ValueError) as error:
        return str(error)
    return next((f"no target {target}" for target in make_targets(line) if target not in TARGETS), None)


def test_every_command_of_a_block_exists_with_its_options() -> None:
    """`aisle …` parses by the real command line, and `make …` names a target."""
    wrong = [f"{page}: {command}: {said}" for page, command in COMMANDS if (said := refusal(command))]

    assert wrong == []


def test_every_command_in_a_sentence_exists_with_its_options() -> None:
    """Its commands and options are there; what it may leave out is above."""
    wrong = [
        f"{page}: {command}: {said}"
        for page, command in INLINE
        if command not in NOT_COMMANDS and (said := refusal(command.replace("…", ""), IN_PASSING))
    ]

    assert wrong == []


def test_every_shell_block_is_shell() -> None:
    """Bash reads each to its end."""
    wrong = []
    for block in SHELL:
        text = block.text if block.language == "sh" else "\n".join(commands(block))
        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)  # noqa: S607
        if done.returncode:
            wrong.append(f"{block.page.name}: {done.stderr}")

    assert wrong == []


def test_every_snippet_parses() -> None:
    """Python compiles, JSON, YAML and TOML load; no other language is there that nobody looks at."""
    readers: dict[str, Callable[[str], Any]] = {
        "python": ast.parse,
        "json": json.loads,
        "yaml": lambda text: list(yaml.safe_load_all(text)),
        "toml": tomllib.loads,
    }
    wrong = []
    for block in blocks():
        if block.language in PROSE | DIRECTIVES | {"sh", "console"}:
            continue
        try:
            readers[block.language](block.text)
        except (KeyError, ValueError, SyntaxError, yaml.YAMLError) as error:
            wrong.append(f"{block.page.name}: {block.language}: {error}\n{block.text}")

    assert wrong == []


def test_every_link_to_a_file_leads_somewhere() -> None:
    """Also those of the README, which is no page of the site."""
    wrong = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
        if not (page.parent / target).exists()
    ]

    assert wrong == []


def test_every_setting_that_is_named_exists() -> None:
    """A variable of another name is one that does nothing."""
    named = {name for page in PAGES for name in re.findall(r"\bAISLE_[A-Z0-9_]+", page.read_text(encoding="utf-8"))}

    assert named - {row.variable for row in settings_rows()} <= OF_OTHERS


@pytest.mark.parametrize(("command", "page"), [("cli", "cli.md"), ("topics", "topics.md"), ("http", "http-api.md")])
def test_a_page_is_what_the_code_says(command: str, page: str) -> None:
    """`aisle schema cli|topics|http > docs/…` makes it anew."""
    printed = CliRunner().invoke(schema.command, [command], catch_exceptions=False).output

    assert printed == (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_the_tutorial_is_run_whole() -> None:
    """Each of its shell blocks is a step, and each comment on one is read; `python -m tests.tutorial` follows them."""
    page = TUTORIAL.read_text(encoding="utf-8")
    found = steps(page)

    assert page.count("```sh\n") == len(found)
    assert page.count("<!-- tutorial: ") == sum(bool(step.how) for step in found)
    assert [step.commands for step in found if step.how == "beside until"] == ["AISLE_RETRAIN_NEW_ROWS=none aisle up\n"]


def test_there_is_something_to_look_at() -> None:
    """A changed form would pass all of the above by having no blocks."""
    assert len(COMMANDS) > 100
    assert len(INLINE) > 100
