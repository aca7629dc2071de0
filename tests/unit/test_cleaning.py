"""The cleaning that training and serving share."""

import html
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data.cleaning import _TAG, clean, clean_title, is_cut


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, ""),
        ("  Thé\t VERT\n", "thé vert"),
        ("<p>Jeu</p><br/>neuf", "jeu neuf"),
        ("caf&eacute; &amp; th&#233; &lt;b&gt;bio&lt;/b&gt;", "café & thé bio"),
        ("ﬁgurine Ｎº①", "figurine no1"),
        ("taille < 3 > 2", "taille < 3 > 2"),
        ("<!-- note -->livre", "livre"),
        ("\ud800", "?"),
    ],
)
def test_markup_and_form_go_and_words_stay(raw: str | None, expected: str) -> None:
    """Entities, tags, odd forms, case and white space make no difference."""
    assert expected == clean_title(raw)


@given(st.text(max_size=300), st.integers(1, 50))
def test_any_text_is_cleaned_to_one_line_within_its_limit(text: str, limit: int) -> None:
    """The graph gets valid UTF-8, bounded, with single blanks at most."""
    cleaned = clean(text, limit)

    assert len(cleaned) <= limit
    assert cleaned.encode("utf-8").decode() == cleaned
    assert "  " not in cleaned
    assert not set(cleaned) & set("\n\t\r")


@pytest.mark.parametrize(("text", "kept"), [("ab cd", "ab"), ("éb cd", "éb"), ("AB\t\tcd", "ab")])
def test_a_cut_leaves_no_space_behind(text: str, kept: str) -> None:
    """A text cut after a blank ends with its last word."""
    assert kept == clean(text, 3)


def test_no_printable_character_but_the_blank_is_a_space() -> None:
    """What lets the cleaning leave most texts unsplit: to Python, any other space is not printable."""
    every = map(chr, range(sys.maxunicode + 1))
    assert [" "] == [one for one in every if one.isprintable() and one.isspace()]


@given(
    st.text(st.characters() | st.sampled_from(" \t\n\x1c\xa0\u3000é<>&;aİßﷺ①\ud800\u0301\u00ad"), max_size=40),
    st.integers(1, 30),
)
def test_the_short_ways_change_nothing(text: str, limit: int) -> None:
    """Bundles in service were trained on texts cleaned step by step: each text comes out as these steps give it."""
    step = _TAG.sub(" ", html.unescape(text[: limit * 4]))
    step = " ".join(step.split())[:limit]
    step = unicodedata.normalize("NFKC", step).encode("utf-8", "replace").decode()

    assert " ".join(step.lower().split())[:limit] == clean(text, limit)


def test_a_hostile_text_is_cheap() -> None:
    """A megabyte of opening brackets does not hang the worker."""
    assert "" != clean("<a" * 500_000, 1_000)


@pytest.mark.parametrize(
    ("raw", "cut"),
    [
        ("", False),
        ("abcde", False),
        ("abcdef", True),
        ("abcd   ", False),
        ("abcde f", True),
        ("a\u0301" * 5, True),  # ten characters, of which five are read before they become three
        ("<b>abcde</b>", False),
        (" " * 21, True),
        ("ﬁ" * 3, True),
    ],
)
def test_it_is_known_whether_something_was_left_out(raw: str, *, cut: bool) -> None:
    """Of the text or of what it stands for, before or behind the cleaning."""
    assert cut == is_cut(raw, 5)
