"""The words of a language: what each category sells, and what several of them say alike."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = ("fr", "en", "de")

_FOLDER = Path(__file__).with_name("words")

Words = tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """One language's words, as `words/<language>.toml` lists them.

    Args:
        heads: What a category sells, by code.
        new_heads: What it begins to sell under drift.
        shared: By code, words that other categories use for things of their own.
        features: Properties, by group of categories.
        new_features: Properties that come with drift.
        words: Colours, materials and the like, by kind.
        text: Sentences of a description, by kind.
    """

    heads: Mapping[str, Words]
    new_heads: Mapping[str, Words]
    shared: Mapping[str, Words]
    features: Mapping[str, Words]
    new_features: Mapping[str, Words]
    words: Mapping[str, Words]
    text: Mapping[str, Words]


@cache
def vocabulary(language: str) -> Vocabulary:
    """The words of a language, read once."""
    tables = _tables(language)
    names = "heads", "new", "features", "new_features", "words", "text"
    heads, new, features, new_features, words, text = (_frozen(tables[name]) for name in names)
    shared: dict[str, Words] = {}
    for pool in tables["shared"]:
        for code in pool["codes"]:
            shared[code] = (*shared.get(code, ()), *pool["heads"])
    return Vocabulary(heads, new, shared, features, new_features, words, text)


@cache
def neighbours() -> Mapping[str, Words]:
    """By code, the other categories that share words with it in some language, sorted."""
    near: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for pool in _tables(language)["shared"]:
            for code in pool["codes"]:
                near.setdefault(code, set()).update(pool["codes"])
    return {code: tuple(sorted(others - {code}, key=int)) for code, others in near.items()}


@cache
def _tables(language: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def _frozen(table: Mapping[str, list[str]]) -> dict[str, Words]:
    return {name: tuple(words) for name, words in table.items()}
