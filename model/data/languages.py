"""In which language a text is written: a guess, offline.

`py3langid` is langid.py (Lui and Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", ACL 2012)
with a faster engine; its model lies in the package.
"""

from functools import cache
from typing import Any, Final

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


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
