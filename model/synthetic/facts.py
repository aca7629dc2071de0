"""What there is to say about a product, before anybody writes it down."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from model.synthetic.market import GROUP_OF, pick, pick_code, pick_frequent, pick_language, pick_size
from model.synthetic.names import brands_of, people, sagas
from model.synthetic.vocabulary import neighbours, vocabulary

# With these a linear model over words gets a weighted F1 of about 0.8 (docs/data.md), as on real marketplaces.
_VAGUE: Final = 0.62  # of the products are called by a word that neighbouring categories use too
_NEW_WORD: Final = 0.6  # of what a drifted product is called, has or is made by is new
_FEATURES: Final = 3
_SPEAKS_ENGLISH: Final = 0.08  # of the features stand in English whatever the language: sellers copy


@dataclass(frozen=True, slots=True)
class Facts:
    """A product: its category and language, and the words for it.

    Args:
        code: Its true category.
        language: ISO 639-1 code of its texts.
        head: What it is called.
        exact: What its own category calls it, which may be less vague.
        other: What it fits or goes with, of a category nearby.
        work: The title of a book, or the series something belongs to.
    """

    code: str
    language: str
    head: str
    exact: str
    other: str
    brand: str
    features: tuple[str, ...]
    colour: str
    material: str
    size: str
    model: str
    person: str
    work: str

    def variant(self, random: Random) -> "Facts":
        """The same product in another colour and size."""
        colours = vocabulary(self.language).words["colours"]
        return replace(self, colour=pick(random, colours), size=pick_size(random, self.code))


def draw_facts(random: Random, *, drifted: bool) -> Facts:
    """Make up a product.

    Args:
        random: Where chance comes from.
        drifted: Whether it is of the changed world: other shares, new words.
    """
    code = pick_code(random, drifted=drifted)
    language = pick_language(random, code)
    words = vocabulary(language).words
    exact = _own_head(random, language, code, drifted=drifted)
    shared = vocabulary(language).shared.get(code, ())
    vague = bool(shared) and random.random() < _VAGUE
    near = neighbours()[code]
    return Facts(
        code,
        language,
        head=pick(random, shared) if vague else exact,
        exact=exact,
        other=pick_frequent(random, vocabulary(language).heads[pick(random, near)]),
        brand=pick_frequent(random, brands_of(code, GROUP_OF[code], new=_new(random, drifted=drifted))),
        features=_features(random, language, code, drifted=drifted),
        colour=pick_frequent(random, words["colours"]),
        material=pick(random, words["materials"]),
        size=pick_size(random, code),
        model=_model(random),
        person=pick_frequent(random, people(new=_new(random, drifted=drifted))),
        work=_work(random, language, code, drifted=drifted),
    )


def _new(random: Random, *, drifted: bool) -> bool:
    return drifted and random.random() < _NEW_WORD


def _own_head(random: Random, language: str, code: str, *, drifted: bool) -> str:
    new = vocabulary(language).new_heads.get(code, ())
    if new and _new(random, drifted=drifted):
        return pick(random, new)
    return pick_frequent(random, vocabulary(language).heads[code])


def _features(random: Random, language: str, code: str, *, drifted: bool) -> tuple[str, ...]:
    found: dict[str, None] = {}
    while len(found) < _FEATURES:
        found[_feature(random, language, code, drifted=drifted)] = None
    return tuple(found)


def _feature(random: Random, language: str, code: str, *, drifted: bool) -> str:
    words = vocabulary("en" if random.random() < _SPEAKS_ENGLISH else language)
    table = words.new_features if _new(random, drifted=drifted) else words.features
    return pick_frequent(random, table[GROUP_OF[code]])


def _work(random: Random, language: str, code: str, *, drifted: bool) -> str:
    if GROUP_OF[code] != "books" or (code == "2403" and random.random() < 0.7):
        return pick_frequent(random, sagas(new=_new(random, drifted=drifted)))
    words = vocabulary(language).words
    return pick(random, words["frames"]).format(pick(random, words["nouns"]), pick(random, words["nouns"]))


def _model(random: Random) -> str:
    letters = "".join(chr(65 + int(random.random() * 26)) for _ in range(2 + int(random.random() * 2)))
    joint = ("-", "", " ")[int(random.random() * 3)]
    return f"{letters}{joint}{int(10 ** (2 + 3 * random.random()))}"
