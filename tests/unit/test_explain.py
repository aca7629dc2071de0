"""Explanations: the text stage taken apart without TensorFlow comes to what TensorFlow says."""

import asyncio
import threading
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import words
from model.data.cleaning import clean_description, clean_title
from model.explain import LinearStage
from model.fingerprint import fingerprint64
from model.rows import Rows
from model.spans import spans_of
from model.words import features_of, split
from schemas.http.account import Role
from schemas.prediction import Category, ModelRef, Prediction
from tests.bundles import make_bundle
from tests.gateway import client, gateway
from workers.gateway.errors import Busy
from workers.gateway.explanations import explain

TITLES = [
    "Soupe à l'oignon 500 g",
    "Thé vert bio",
    "soupe de légumes",
    "THÉ noir, 20 sachets",
    "velouté soupe",
    "thé",
] * 3
DESCRIPTIONS = ["Une soupe", "", "avec <b>carottes</b> &amp; poireaux", "thé thé thé", "", "infusion"] * 3
ODD = [
    ("Lampe", "jamais vue"),
    ("", ""),
    ("soupe", ""),
    ("", "thé &eacute;t&eacute; <i>vert</i>"),
    ("½ ﬁn 日本語 e\u0301té", "x" * 120 + " soupe_thé"),
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a text stage that learned soups from teas."""
    from model.text.fit import fit_text

    models = tmp_path_factory.mktemp("explain") / "models"
    truth = np.array([0 if "soupe" in title.lower() else 1 for title in TITLES])
    fitted = fit_text(Rows(TITLES, DESCRIPTIONS), truth, 2, seed=0, progress=lambda _: None)
    made = make_bundle(models, "1", stages=["text"])
    (made / "text" / "weights").unlink()
    fitted.save(made / "text")
    return made


def test_a_stage_taken_apart_comes_to_what_it_says(bundle: Path) -> None:
    """Every feature's share and the bias add up to the stage's own margins, also of texts that are odd."""
    from model.text.stage import TextStage

    texts = [*zip(TITLES[:6], DESCRIPTIONS[:6], strict=True), *ODD]
    stage = LinearStage(bundle / "text")
    margins = np.array([stage.take_apart(*text).margins() for text in texts], np.float64)
    said = TextStage(bundle / "text").log_probabilities(Rows(*zip(*texts, strict=True)))
    mine = margins - np.log(np.exp(margins).sum(axis=1, keepdims=True))
    assert np.abs(mine - said).max() < 1e-4
    assert np.ptp(margins, axis=0).min() > 0.5  # they do differ


def test_words_and_hashes_are_tensorflows() -> None:
    """Of bytes of any length, and of letters of any script."""
    import tensorflow as tf

    from model.text import ngrams

    data = [bytes((7 * place + size) % 256 for place in range(size)) for size in range(200)]
    buckets = tf.strings.to_hash_bucket_fast(data, 1 << 62).numpy().tolist()
    assert buckets == [fingerprint64(one) % (1 << 62) for one in data]
    text = clean_title("Éte ½ 20-pièces d'été_日本語 ﬁn ① naïve e\u0301")
    _, spellings, hashes = ngrams.words(tf.constant([text]))
    found = split(text)
    assert [one.decode() for one in spellings.numpy()] == found
    for kind in ("words", "stems", "chars"):
        theirs = np.concatenate([part.numpy() for _, part in ngrams.buckets_of_words(kind, spellings, hashes)])
        assert set(theirs.tolist()) == {one.bucket for one in features_of(kind, found)}
    for kind, find in ngrams.BEYOND_WORDS.items():
        rows = tf.zeros([len(found)], tf.int64)
        assert find(rows, hashes)[1].numpy().tolist() == [one.bucket for one in features_of(kind, found)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Soupe, SOUPE!", ["Soupe", "SOUPE"]),
        ("<p class='soupe'>la soupe</p>", ["la", "soupe"]),
        ("th&eacute; vert &amp; bio", ["th&eacute;", "vert", "bio"]),
        ("minisoupe soupe", ["minisoupe", "soupe"]),
        ("ﬁn ½", ["ﬁn", "½", "½"]),
        ("e\u0301té", [None]),
    ],
)
def test_words_are_found_where_they_stand(text: str, found: list[str | None]) -> None:
    """In the text as it came: with its capitals, tags and entities; what is written otherwise has no place."""
    places = spans_of(split(clean_description(text)), text)
    assert found == [None if place is None else text[slice(*place)] for place in places]


@given(st.text("aé\u0301 -", max_size=40))
def test_places_are_those_of_the_next_same_word(text: str) -> None:
    """Each word is found at its next place that is no part of another word, however the text is made."""
    cleaned = split(clean_description(text))
    written, at = split(text.lower()), 0
    for word, place in zip(cleaned, spans_of(cleaned, text), strict=True):
        assert (place is None) == (word not in written[at:])
        if place is not None:
            assert word == text[slice(*place)]
            at = written.index(word, at) + 1


@pytest.mark.parametrize(
    "text",
    [" - " * 333_333, "e\u0301 " * 1_000 + "é" * 17_000, "<a" * 500_000, "a" * 20_000, "\ufdfa" * 20_000],
    ids=["separators", "letters and accents", "tags", "one word", "ligatures"],
)
def test_a_crafted_text_costs_no_more_than_a_long_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no model reads is not looked at; of the rest each character is, once, wherever its words are not found."""
    looked_at = 0

    def category(char: str) -> str:
        nonlocal looked_at
        looked_at += 1
        return unicodedata.category(char)

    stage = LinearStage.__new__(LinearStage)  # one without a weight
    stage._tables, stage._bias = [], np.zeros(2, np.float32)
    taken = stage.take_apart("Soupe", text)
    assert ["description"] == taken.cut
    assert 12_000 >= len(taken.read["description"])
    counting = SimpleNamespace(category=category, normalize=unicodedata.normalize)
    monkeypatch.setattr("model.spans.unicodedata", counting)
    places = spans_of(taken.words["description"], taken.read["description"])
    assert len(places) == len(taken.words["description"])
    assert looked_at <= 18 * len(taken.read["description"])  # one character may become 18


def test_nothing_long_is_kept() -> None:
    """Words that come once, however long, fill no memory."""
    before = words._chars.cache_info().currsize, words._short_hash.cache_info().currsize
    for number in range(50):
        long = f"{number:x}" * 100
        assert list(features_of("chars", [long]))
        assert list(features_of("words", [long]))
    assert before == (words._chars.cache_info().currsize, words._short_hash.cache_info().currsize)
    assert words._chars("soupe") is words._chars("soupe")


def _prediction(code: str) -> Prediction:
    return Prediction(
        event_id=str(UUID(int=1)),
        product_id="p",
        category=Category(code=code, label=code),
        confidence=0.9,
        top=[],
        needs_review=False,
        decided_by="text",
        modalities=["title"],
        model=ModelRef(name="aisle", version="1"),
        classified_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


async def test_people_see_the_words_that_spoke(bundle: Path) -> None:
    """Terms, rest and bias add up to the score; the word that decided is first, with its places."""
    _, parts = gateway(bundle.parent.parent)
    text = "Une bonne soupe, soupe du jour " + " ".join(f"mot{number}" for number in range(60))
    found = await explain(parts, _prediction("soups"), "Soupe de saison", text)
    assert found is not None
    assert (True, "soups", []) == (found.agrees, found.category.code, found.cut)
    assert found.score == pytest.approx(
        found.bias + found.rest + sum(one.contribution for one in found.terms), abs=1e-4
    )
    first = found.terms[0]
    assert ("soupe", "word") == (first.text, first.kind)
    assert first.contribution > 0
    described = next(one for one in found.terms if (one.text, one.kind, one.field) == ("soupe", "word", "description"))
    assert ["soupe", "soupe"] == [text[span.start : span.end] for span in described.spans]
    against = await explain(parts, _prediction("soups"), "Soupe de saison", text, code="teas")
    assert against is not None
    assert not against.agrees
    cut = await explain(parts, _prediction("soups"), "Soupe de saison", f"{text} {'z ' * 2_000}")
    assert cut is not None
    assert ["description"] == cut.cut


async def test_a_predict_call_explains_when_asked(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its words in the one answer, as JSON and as a form; a photo alone has none, and unasked nothing is added."""
    app, parts = gateway(bundle.parent.parent)

    async def answered(*_: object, **__: object) -> Prediction:
        return _prediction("soups")

    monkeypatch.setattr(parts.road, "classify", answered)
    asked = {"explain": "true"}
    async with client(app, Role.CUSTOMER) as calls:
        plain = await calls.post("/api/v1/predictions", json={"title": "Soupe"})
        told = await calls.post("/api/v1/predictions", json={"title": "Soupe"}, params=asked)
        form = await calls.post("/api/v1/predictions/upload", data={"title": "Soupe"}, params=asked)
    async with client(app, Role.REVIEWER) as calls:
        photo = await calls.post("/api/v1/predictions", json={"image": {"uri": "a.jpg"}}, params=asked)
    assert plain.json() == {name: value for name, value in told.json().items() if name != "explanation"}
    assert "soupe" == told.json()["explanation"]["terms"][0]["text"]
    assert told.json() == form.json()
    assert photo.json()["explanation"] is None


async def test_no_more_than_some_wait_for_an_explanation(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for one more is told to come again; a prediction comes without, and who has gone is not waited for."""
    app, parts = gateway(bundle.parent.parent)
    held = threading.Event()
    monkeypatch.setattr("workers.gateway.explanations._explain", lambda *_: held.wait(10) and None)

    async def answered(*_: object, **__: object) -> Prediction:
        return _prediction("soups")

    monkeypatch.setattr(parts.road, "classify", answered)
    asked = [asyncio.create_task(explain(parts, _prediction("soups"), "Soupe", None)) for _ in range(50)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await explain(parts, _prediction("soups"), "Soupe", None)
    async with client(app, Role.CUSTOMER) as calls:
        told = await calls.post("/api/v1/predictions", json={"title": "Soupe"}, params={"explain": "true"})
    assert (200, False) == (told.status_code, "explanation" in told.json())
    for task in asked[10:]:
        task.cancel()
    held.set()
    await asyncio.gather(*asked, return_exceptions=True)
    assert await explain(parts, _prediction("soups"), "Soupe", None) is None
    parts.store.close()


async def test_what_cannot_be_taken_apart_is_not_explained(tmp_path: Path) -> None:
    """A bundle without a text stage, one that is not here, a category that the model does not know."""
    make_bundle(tmp_path / "models", "1")
    _, parts = gateway(tmp_path)
    assert await explain(parts, _prediction("soups"), "Soupe", None) is None
    broken = make_bundle(tmp_path / "models", "2", stages=["text"])
    prediction = _prediction("soups").model_copy(update={"model": ModelRef(name="aisle", version=broken.name)})
    assert await explain(parts, prediction, "Soupe", None) is None
    gone = prediction.model_copy(update={"model": ModelRef(name="aisle", version="3")})
    assert await explain(parts, gone, "Soupe", None) is None
