"""In which language a text is written: a guess, offline.

`py3langid` is langid.py (Lui and Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", ACL 2012)
with a faster engine; its model lies in the package.
"""

from functools import cache
from typing import Any, Final

from model.rows import Rows

LANGUAGES: Final = (
    *("ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hu", "it", "ja"),
    *("ko", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "zh"),
)
"""Those that are told apart. A title has few words, and each language more is one more to mistake it for."""

UNSURE: Final = "unsure"

_SURE_FROM = 0.6
_MAX_CHARS = 400  # enough to tell, and the cost of a row stays bounded


def language_of(text: str) -> str:
    """The ISO 639-1 code of a cleaned text's language, or "unsure"."""
    if not text:
        return UNSURE
    language, probability = _identifier().classify(text[:_MAX_CHARS])
    return str(language) if probability >= _SURE_FROM else UNSURE


def languages_of(rows: Rows) -> list[str]:
    """The language of each product, by title and description; '' where it is not sure."""
    texts = (f"{title} {text[:_MAX_CHARS]}".strip() for title, text in zip(rows.titles, rows.descriptions, strict=True))
    return [language if language != UNSURE else "" for language in map(language_of, texts)]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
