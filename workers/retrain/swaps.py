"""Two categories that people call each other's names, against all that is known: no one author need be behind it."""

from collections.abc import Iterator, Sequence
from typing import Final

from workers.retrain.evidence import Evidence
from workers.retrain.implausible import Looked
from workers.retrain.set_manifest import SetAside

_LEAST: Final = 20


def swapped(looked: Sequence[Looked], allowed: float, chance: float) -> Iterator[SetAside]:
    """The pairs of categories of which corrections are implausible, and that both ways.

    One way they may be a kind of product that nobody had before; both ways there is none that they could be.

    Args:
        looked: The corrections of authors who are believed.
        allowed: Part of them that may be implausible.
        chance: By which probability more than that is beyond chance.
    """
    by_way: dict[tuple[str, str], list[Looked]] = {}
    for one in looked:
        if one.predicted is not None:
            by_way.setdefault((one.predicted, one.code), []).append(one)
    for (first, second), there in sorted(by_way.items()):
        back = by_way.get((second, first), [])
        if first > second or len(there) < _LEAST or len(back) < _LEAST:
            continue
        what = f"corrections from {first} to {second} are implausible", f"from {second} to {first}"
        both = [
            Evidence(sum(one.strange for one in way), len(way), allowed, text)
            for way, text in zip((there, back), what, strict=True)
        ]
        if all(one.chance < chance for one in both):
            ids = sorted(one.feedback_id for one in (*there, *back))
            who, why = f"{first} and {second}", "; and ".join(map(str, both))
            yield SetAside(who=who, kind="categories", reason=why, verdicts=len(ids), feedback_ids=ids)
