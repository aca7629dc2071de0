"""The cleaning that training and serving share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.cleaning import clean, clean_title


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


def test_a_hostile_text_is_cheap() -> None:
    """A megabyte of opening brackets does not hang the worker."""
    assert "" != clean("<a" * 500_000, 1_000)
