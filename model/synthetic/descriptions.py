"""Descriptions as shops export them: HTML with entities, boilerplate, and something about the product."""

import html
from collections.abc import Sequence
from random import Random
from typing import Final

from model.synthetic.facts import Facts
from model.synthetic.market import pick
from model.synthetic.vocabulary import vocabulary

MISSING: Final = 0.35
"""Part of the products without a description."""

_EXACT = 0.35  # of the descriptions call the product what its own category calls it
_NAMED = {
    "é": "&eacute;",
    "è": "&egrave;",
    "à": "&agrave;",
    "ê": "&ecirc;",
    "ü": "&uuml;",
    "ä": "&auml;",
    "ö": "&ouml;",
}
_NAMED_ENTITIES = str.maketrans(_NAMED)


def write_description(random: Random, facts: Facts) -> str | None:
    """A description in the product's language, or None."""
    if random.random() < MISSING:
        return None
    text = vocabulary(facts.language).text
    head = facts.exact if random.random() < _EXACT else facts.head
    about = _sentences(random, text["about"], 1 + int(random.random() * 2), facts, head)
    details = _sentences(random, text["detail"], int(random.random() * 6), facts, head)
    filler = _sentences(random, text["filler"], int(random.random() * 4), facts, head)
    return _marked_up(random, about, details, filler)


def _sentences(random: Random, forms: Sequence[str], count: int, facts: Facts, head: str) -> list[str]:
    words = vocabulary(facts.language).words
    said = []
    for form in random.sample(forms, min(count, len(forms))):
        feature = pick(random, facts.features)
        said.append(
            form.format(
                intro=pick(random, words["intros"]),
                head=head,
                brand=facts.brand,
                feature=feature,
                Feature=feature[:1].upper() + feature[1:],
                colour=facts.colour,
                material=facts.material,
                size=facts.size,
                model=facts.model,
                count=1 + int(random.random() * 4),
                other=facts.other,
            )
        )
    return said


def _marked_up(random: Random, about: list[str], details: list[str], filler: list[str]) -> str:
    part = random.random()
    if part < 0.2:  # plain text
        return " ".join(about + details + filler)
    escaped = [[_escaped(random, sentence) for sentence in block] for block in (about, details, filler)]
    first, listed, last = escaped
    if part < 0.45:
        return "<br />".join(first + listed + last)
    items = "".join(f"<li>{sentence}</li>" for sentence in listed)
    opening = "".join(f"<p>{sentence}</p>" for sentence in first)
    ending = f'<p class="info">{"&nbsp;".join(last)}</p>' if last else ""
    title = f"<b>{first[0]}</b><br>" if part > 0.85 else ""
    return f"{title}{opening}{f'<ul>{items}</ul>' if items else ''}{ending}"


def _escaped(random: Random, text: str) -> str:
    text = html.escape(text)
    return text.translate(_NAMED_ENTITIES) if random.random() < 0.3 else text
