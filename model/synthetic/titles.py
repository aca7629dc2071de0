"""Titles as sellers write them: parts in some order, in some case, with some mistakes."""

from random import Random
from typing import Final

from model.synthetic.facts import Facts
from model.synthetic.market import GROUP_OF, pick
from model.synthetic.vocabulary import vocabulary

# Parts of a title, in order. "other" names what the product goes with: the word of a category that it is not of.
_THINGS: Final = (
    "head brand feature0 colour size",
    "brand head feature0 feature1 material - colour model",
    "head feature0 other colour size",
    "brand model head feature0 feature1 size condition",
    "head material feature0 - size - colour condition",
    "head other feature0 - brand model",
    "size head feature0 feature1 feature2 colour brand",
    "head brand feature0 feature1 material colour size condition other",
)
_BOOKS: Final = (
    "work - person",
    "person - work feature0 size",
    "head work person - size",
    "work - head - feature0 - condition",
    "head - work , person , feature0",
    "work size person brand head",
    "brand size work feature0",
)
_SAGAS: Final = (
    "work head feature0 size",
    "head work - feature0 - condition",
    "work - brand head feature0 feature1",
    "head feature0 work model size",
    "work feature0 feature1 model",
    "brand head work colour feature0 other",
)
_SAGA_GROUPS = {"gaming": 0.7, "collect": 0.85, "toys": 0.25}

_TYPO = 0.18
_NO_ACCENTS = 0.15
_ACCENTS = str.maketrans("àâäéèêëîïôöùûüçÀÉÈÊÇ", "aaaeeeeiioouuucAEEEC")


def draw_form(random: Random, facts: Facts) -> str:
    """The parts of a title for this product and their order."""
    group = GROUP_OF[facts.code]
    if group == "books":
        return pick(random, _BOOKS)
    return pick(random, _SAGAS if random.random() < _SAGA_GROUPS.get(group, 0.0) else _THINGS)


def write_title(random: Random, facts: Facts, form: str) -> str:
    """The title in this form, in a case and with the slips that chance gives."""
    said = " ".join(_part(random, facts, name) for name in form.split()).replace(" , ", ", ")
    said = _cased(random, said)
    if random.random() < _NO_ACCENTS:
        said = said.translate(_ACCENTS)
    if random.random() < _TYPO:
        said = mistyped(random, said)
    return said


def mistyped(random: Random, text: str) -> str:
    """The text with one slip of the hand: a letter lost, doubled, or changed with the next."""
    at = int(random.random() * (len(text) - 1))
    first, second = text[at], text[at + 1]
    return text[:at] + pick(random, (second, first + first + second, second + first)) + text[at + 2 :]


def _part(random: Random, facts: Facts, name: str) -> str:
    if name in {"-", ","}:
        return name
    words = vocabulary(facts.language).words
    if name.startswith("feature"):
        return facts.features[int(name[-1])]
    if name == "condition":
        return pick(random, words["conditions"])
    if name == "other":
        return f"{pick(random, words['joins'])} {facts.other}"
    return str(getattr(facts, name))


def _cased(random: Random, text: str) -> str:
    part = random.random()
    if part < 0.55:
        return text[:1].upper() + text[1:]
    if part < 0.80:
        return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))
    return text.upper() if part < 0.87 else text.lower()
