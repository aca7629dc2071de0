"""Brands, people and series that do not exist, put together from syllables: the same in every catalogue."""

from collections.abc import Callable
from functools import cache
from random import Random

_STARTS = (
    *("Ba", "Bel", "Bri", "Ca", "Cor", "Da", "Del", "Dro", "Fa", "Fen", "Ga", "Gri", "Ha", "Jor", "Ka", "Kel", "La"),
    *("Lor", "Ma", "Mel", "Mon", "Na", "Nor", "Ol", "Pa", "Per", "Qua", "Ra", "Rin", "Sa", "Sol", "Ta", "Tri", "Va"),
    *("Vel", "Vi", "Wa", "Xe", "Yo", "Za", "Zen"),
)
_MIDDLES = ("", "", "da", "ri", "lo", "ve", "ni", "ta", "mo", "si", "ke", "ra", "bo", "li", "mi", "do")
_ENDS = (
    *("ba", "co", "dan", "dex", "don", "fa", "gar", "ka", "land", "lia", "lux", "max", "mi", "nel", "nia", "nix", "no"),
    *("ra", "rex", "ric", "ron", "s", "son", "tec", "ton", "tra", "va", "vil", "vo", "x", "zo"),
)
_FIRST_NAMES = (
    *("Anne", "Claire", "Louise", "Jeanne", "Marie", "Sophie", "Élise", "Camille", "Hélène", "Alice", "Emma", "Greta"),
    *(
        "Paul",
        "Jean",
        "Pierre",
        "Henri",
        "Louis",
        "Hugo",
        "Marc",
        "Émile",
        "Victor",
        "Thomas",
        "Karl",
        "Peter",
        "James",
    ),
)
_SAGA_WORDS = (
    *("Quest", "Warriors", "Legends", "Force", "Academy", "Chronicles", "Heroes", "Galaxy", "Racers", "Kingdom"),
    *("Monsters", "Battle", "Zero", "Saga", "Ball", "Hunters", "Craft", "World", "Knights", "Squad"),
)

_BRANDS_A_GROUP = 150
_SAGAS = 220
_PEOPLE = 900


@cache
def brands(group: str, *, new: bool = False) -> tuple[str, ...]:
    """The brands of a group of categories, the best known first; `new` are those that come with drift."""
    return _distinct(f"brands {group} {new}", _BRANDS_A_GROUP, _name)


@cache
def brands_of(code: str, group: str, *, new: bool = False) -> tuple[str, ...]:
    """The group's brands in the order in which this category knows them: a brand says a little, not all."""
    known = list(brands(group, new=new))
    Random(f"order {code}").shuffle(known)  # noqa: S311 - no secret
    return tuple(known)


@cache
def sagas(*, new: bool = False) -> tuple[str, ...]:
    """Series that sell games, figurines, cards, comics and toys alike."""
    return _distinct(f"sagas {new}", _SAGAS, lambda random: f"{_name(random)} {random.choice(_SAGA_WORDS)}")


@cache
def people(*, new: bool = False) -> tuple[str, ...]:
    """Authors and artists."""
    return _distinct(f"people {new}", _PEOPLE, lambda random: f"{random.choice(_FIRST_NAMES)} {_name(random)}")


def _distinct(what: str, count: int, make: Callable[[Random], str]) -> tuple[str, ...]:
    random = Random(what)  # noqa: S311 - no secret
    found: dict[str, None] = {}
    while len(found) < count:
        found[make(random)] = None
    return tuple(found)


def _name(random: Random) -> str:
    return random.choice(_STARTS) + random.choice(_MIDDLES) + random.choice(_ENDS)
