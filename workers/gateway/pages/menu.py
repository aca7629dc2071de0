"""Where a visitor can go."""

from dataclasses import dataclass
from typing import Final

from workers.gateway.access import Principal, Right


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the menu.

    Args:
        name: Its text's key in the section ``menu``, and its icon's name.
        path: Where it leads.
        right: What one needs there.
        key: Pressed behind ``g``, it leads there too.
    """

    name: str
    path: str
    right: Right
    key: str


MENU: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "work",
        (
            Entry("classify", "/classify", Right.PREDICT, "c"),
            Entry("files", "/files", Right.PREDICT, "f"),
            Entry("review", "/review", Right.REVIEW, "r"),
            Entry("items", "/items", Right.PREDICT, "i"),
            Entry("live", "/live", Right.WATCH, "l"),
        ),
    ),
    (
        "insight",
        (
            Entry("dashboard", "/dashboard", Right.WATCH, "d"),
            Entry("models", "/models", Right.WATCH, "m"),
            Entry("dead_letters", "/dead-letters", Right.WATCH, "e"),
        ),
    ),
    (
        "administration",
        (
            Entry("users", "/users", Right.ADMINISTER, "u"),
            Entry("audit", "/audit", Right.ADMINISTER, "a"),
        ),
    ),
    (
        "machines",
        (
            Entry("docs", "/docs", Right.PUBLIC, "p"),
            Entry("topics", "/topics", Right.PUBLIC, "t"),
        ),
    ),
)
"""All groups and links, in order."""


def menu_of(who: Principal | None) -> list[tuple[str, list[Entry]]]:
    """What a visitor may see; nothing where nobody is signed in."""
    if who is None:
        return []
    groups = [(name, [entry for entry in entries if who.may(entry.right)]) for name, entries in MENU]
    return [(name, entries) for name, entries in groups if entries]


def home_of(who: Principal) -> str:
    """Where a visitor begins."""
    return "/review" if who.may(Right.REVIEW) else "/classify"
