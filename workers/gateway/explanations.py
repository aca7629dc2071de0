"""Why a product is of a category: the weights of the first stage, from the bundles of this machine."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from heapq import nlargest
from pathlib import Path
from typing import Final, Literal

from model.bundle import MANIFEST
from model.errors import BundleInvalid
from model.explain import STAGE, Contribution, LinearStage, Taken, open_stage
from model.spans import Span, spans_of
from model.text.views import FIELDS, Field
from schemas.http.explanation import Explanation, Ngram, Term, TextSpan
from schemas.prediction import Prediction
from workers.gateway.errors import Busy
from workers.gateway.operation.decisions import manifest_of
from workers.gateway.parts import Parts

_SHOWN: Final = 40
_OPEN: Final = 4
_POOL: Final = ThreadPoolExecutor(2, "explain")  # of its own: crafted texts take a second, and others need threads, too
_MOST_WAITING: Final = 50
_WAITING: Final = set[asyncio.Future[Explanation | None]]()
_KINDS: Final[dict[str, Literal["pair", "start"]]] = {"pairs": "pair", "start": "start"}

Key = tuple[Field, Literal["word", "pair", "start"], str]


async def explain(
    parts: Parts, prediction: Prediction, title: str | None, description: str | None, code: str | None = None
) -> Explanation | None:
    """What spoke for a category.

    Args:
        parts: Know where bundles are.
        prediction: Names the model.
        title: The product's, as it came.
        description: Likewise.
        code: The category to explain; None: the prediction's.

    Returns:
        None where the model's bundle is not here, cannot be taken apart, or does not know the category.

    Raises:
        Busy: Too many are asked for.
    """
    version, code = prediction.model.version, code or prediction.category.code
    bundle = parts.operation.decisions.models_dir / version
    if not title and not description:
        return None
    if len(_WAITING) >= _MOST_WAITING:
        raise Busy("Too many explanations are asked for.", hint="Try again in a while.")
    texts, language = (title, description), parts.settings.language
    told = asyncio.get_running_loop().run_in_executor(_POOL, _explain, bundle, code, texts, language)
    _WAITING.add(told)
    told.add_done_callback(_WAITING.discard)
    return await told


def _explain(bundle: Path, code: str, texts: tuple[str | None, str | None], language: str) -> Explanation | None:
    try:
        manifest = manifest_of(bundle)
        stage = _opened(bundle, (bundle / MANIFEST).stat().st_mtime_ns)
    except (BundleInvalid, OSError):
        return None
    number = next((at for at, entry in enumerate(manifest.categories) if entry.code == code), None)
    if stage is None or number is None:
        return None
    taken = stage.take_apart(*texts)
    margins = taken.margins()
    terms = _terms(taken, number)
    return Explanation(
        model=manifest.ref,
        stage=STAGE,
        category=manifest.categories[number].category(language),
        agrees=int(margins.argmax()) == number,
        score=float(margins[number]),
        bias=float(taken.bias[number]),
        cut=list(taken.cut),
        terms=_shown(terms[:_SHOWN], taken),
        rest=sum(added for _, added in terms[_SHOWN:]),
        ngrams=_ngrams(taken, number),
    )


@lru_cache(maxsize=_OPEN)
def _opened(bundle: Path, _stamp: int) -> LinearStage | None:
    return open_stage(bundle, manifest_of(bundle))


def _terms(taken: Taken, number: int) -> list[tuple[Key, float]]:
    """What people read, the weightiest first: all that is within a word is the word's."""
    sums: dict[Key, float] = defaultdict(float)
    for one in taken.contributions:
        sums[_key(one, taken)] += float(one.adds[number])
    return sorted(sums.items(), key=lambda term: -abs(term[1]))


def _key(one: Contribution, taken: Taken) -> Key:
    feature = one.feature
    kind = _KINDS.get(feature.kind)
    if kind is None:
        return one.field, "word", taken.words[one.field][feature.words[0]]
    return one.field, kind, feature.text


def _shown(terms: Sequence[tuple[Key, float]], taken: Taken) -> list[Term]:
    places = {field: spans_of(taken.words[field], taken.read[field]) for field in FIELDS}
    return [
        Term(
            text=text,
            kind=kind,
            field=field,
            contribution=added,
            spans=_spans(kind, text, taken.words[field], places[field]),
        )
        for (field, kind, text), added in terms
    ]


def _spans(kind: str, text: str, words: list[str], places: list[Span | None]) -> list[TextSpan]:
    """Where a term stands: a word wherever it is, a pair from its first word to its second."""
    parts = text.split(" ")
    last = 1 if kind == "start" else len(words)
    found = []
    for at in range(min(last, len(words) - len(parts) + 1)):
        first, end = places[at], places[at + len(parts) - 1]
        if words[at : at + len(parts)] == parts and first is not None and end is not None:
            found.append(TextSpan(start=first[0], end=end[1]))
    return found


def _ngrams(taken: Taken, number: int) -> list[Ngram]:
    sums: dict[tuple[Field, str, str], float] = defaultdict(float)
    for one in taken.contributions:
        sums[one.field, one.feature.kind, one.feature.text] += float(one.adds[number])
    most = nlargest(_SHOWN, sums.items(), key=lambda one: abs(one[1]))
    return [
        Ngram.model_validate({"text": text, "kind": kind, "field": field, "contribution": added})
        for (field, kind, text), added in most
    ]
