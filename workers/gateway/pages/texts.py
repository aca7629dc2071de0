"""What the pages say, in each language."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request

_FOLDER: Final = Path(__file__).with_name("texts")
LANGUAGES: Final = ("en", "fr")
COOKIE: Final = "aisle_lang"

Section = Mapping[str, str | Mapping[str, str]]
"""Texts by key; one that depends on a number is a table with ``one`` and ``other``."""


@cache
def texts(language: str) -> Mapping[str, Section]:
    """All texts of a language, by section and key."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def text(language: str, key: str, **values: object) -> str:
    """A text by ``section.key``, with values for what stands in braces.

    Raises:
        KeyError: There is none, or it is one that depends on a number.
    """
    section, _, name = key.partition(".")
    found = texts(language)[section][name]
    if not isinstance(found, str):
        raise KeyError(key)
    return found.format_map(values) if values else found


def chosen(request: Request) -> str:
    """The language of a page: by ``?lang=``, by the cookie, by what the browser prefers; else English."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return asked
    return next((tag for tag in _preferred(request.headers.get("accept-language", "")) if tag in LANGUAGES), "en")


def _preferred(header: str) -> Sequence[str]:
    ranked = []
    for part in header.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        ranked.append((-weight, tag.partition("-")[0].lower()))
    return [tag for weight, tag in sorted(ranked, key=lambda one: one[0]) if weight]
