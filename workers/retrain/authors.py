"""Whose verdicts cannot be trusted: authors who disagree with what is known, beyond what chance allows.

Three kinds of evidence, each tested by itself with a one-sided binomial test:

- products whose category is known, as they are in the golden set;
- products of which two others or more say the same;
- corrections that are implausible. A correction is by nature a product that a model gets wrong: that it disagrees
  with a model says nothing. But honest ones look like the rows of the base set that a model gets wrong: of these a
  fifth, by definition, is less plausible than the limit. Random labels are so nearly always.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol

from infra.feedback_log import Opinion
from workers.retrain.evidence import Evidence
from workers.retrain.implausible import Looked, implausible_of
from workers.retrain.set_manifest import SetAside
from workers.retrain.set_rows import Key, SetRow
from workers.retrain.swaps import swapped
from workers.retrain.verdict_rows import Said

_LEAST: Final = 5
"""With fewer verdicts no disagreement is beyond chance, however it is counted."""
_LEAST_IMPLAUSIBLE: Final = 20

Words = Sequence[tuple[Said, Opinion]]


class AuthorRules(Protocol):
    """When an author is set aside; the settings of these names say what they are."""

    author_disagreement: float | None
    author_implausible: float | None
    author_chance: float
    trusted_authors: str


def set_aside(said: Sequence[Said], rows: Sequence[SetRow], rules: AuthorRules, seed: int) -> list[SetAside]:
    """The authors whose verdicts teach nothing, by name, then pairs of categories that are swapped, with the figures.

    Args:
        said: What people say of each content.
        rows: The base set.
        rules: How much disagreement is allowed.
        seed: Of the sample and the folds of what is implausible.
    """
    trusted = {name.strip() for name in rules.trusted_authors.split(",")}
    words = {by: some for by, some in words_of(said).items() if by not in trusted}
    reasons: dict[str, Evidence] = {}

    def look(evidence: Callable[[str, Words], Iterator[Evidence]]) -> None:
        for by in sorted(words.keys() - reasons.keys()):
            for one in evidence(by, words[by]):
                if one.chance < rules.author_chance:
                    reasons.setdefault(by, one)

    if rules.author_disagreement is not None:
        allowed, golden = rules.author_disagreement, golden_codes(rows)
        look(lambda _by, some: _with_golden(some, golden, allowed))
    looked = implausible_of(said, rows, seed) if rules.author_implausible is not None and words else []
    look(lambda by, _some: _implausible([one for one in looked if one.by == by], rules.author_implausible or 0))
    if rules.author_disagreement is not None:
        # Last, so that nobody is held to the word of those whose own is not believed.
        believed = {one.key: _voices(one, reasons) for one in said}
        look(lambda by, some: _with_others(by, some, believed, rules.author_disagreement or 0))
    believed_too = [one for one in looked if one.by in words.keys() - reasons.keys()]
    return [
        *(_aside(by, words[by], why) for by, why in sorted(reasons.items())),
        *swapped(believed_too, rules.author_implausible or 0, rules.author_chance),
    ]


def words_of(said: Sequence[Said]) -> dict[str, list[tuple[Said, Opinion]]]:
    """Each author's last words, with what they are about."""
    found: dict[str, list[tuple[Said, Opinion]]] = {}
    for one in said:
        for opinion in one.opinions:
            found.setdefault(opinion.by, []).append((one, opinion))
    return found


def golden_codes(rows: Sequence[SetRow]) -> dict[Key, set[str]]:
    """The categories under which a content stands in the golden set."""
    found: dict[Key, set[str]] = {}
    for row in rows:
        if row.side == "golden":
            found.setdefault(row.key, set()).add(row.category)
    return found


def _with_golden(words: Words, golden: Mapping[Key, Collection[str]], allowed: float) -> Iterator[Evidence]:
    known = [(opinion.code, golden[one.key]) for one, opinion in words if one.key in golden]
    if len(known) >= _LEAST:
        against = sum(code not in right for code, right in known)
        yield Evidence(against, len(known), allowed, "verdicts on golden products say something else")


def _voices(said: Said, doubted: Collection[str]) -> dict[str, str | None]:
    return {opinion.by: opinion.code for opinion in said.opinions if opinion.by not in doubted}


def _with_others(
    by: str, words: Words, believed: Mapping[Key, Mapping[str, str | None]], allowed: float
) -> Iterator[Evidence]:
    against = of = 0
    for one, opinion in words:
        others = [code for name, code in believed[one.key].items() if name != by]
        if len(others) > 1 and len(set(others)) == 1:
            of += 1
            against += opinion.code != others[0]
    if of >= _LEAST:
        yield Evidence(against, of, allowed, "verdicts contradict others who agree with each other")


def _implausible(looked: Sequence[Looked], allowed: float) -> Iterator[Evidence]:
    by_label: dict[str, list[bool]] = {}
    for one in looked:
        by_label.setdefault(one.code, []).append(one.strange)
    if not by_label:
        return
    # A kind of product that nobody had before looks implausible too, but it goes to one category; what is random does
    # not.
    most = max(sorted(by_label), key=lambda code: sum(by_label[code]))
    rest = [one for code, some in by_label.items() if code != most for one in some]
    if len(rest) >= _LEAST_IMPLAUSIBLE:
        yield Evidence(sum(rest), len(rest), allowed, f"corrections, without those to {most}, are implausible")


def _aside(by: str, words: Words, why: Evidence) -> SetAside:
    ids = sorted(opinion.feedback_id for _, opinion in words)
    return SetAside(who=by, reason=str(why), verdicts=len(ids), feedback_ids=ids)
