"""The API as the pages see it, answered from memory: a shop with a few dozen products."""

import io
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from PIL import Image
from starlette.responses import JSONResponse

from schemas.taxonomy import Taxonomy

NOW = datetime.now(UTC)
TAXONOMY = Taxonomy.builtin()
VERSION = "20261121-162835-ce5d2f"
TITLES = [
    ("Lampe de chevet en bois, abat-jour blanc", "Lampe de table, chêne massif. Ampoule E14 fournie.", "2060"),
    ("Piscine tubulaire ronde 3,66 m avec filtre", "Piscine hors sol, pompe de filtration et échelle.", "2583"),
    ("Figurine Goku 20 cm Dragon Ball", None, "1140"),
    ("Carte Pokémon Dracaufeu holographique", "Carte à collectionner, édition française.", "1160"),
    ("Harry Potter à l'école des sorciers", "Roman de J. K. Rowling, édition de poche.", "2705"),
    ("Tondeuse à gazon thermique 46 cm", "Moteur 4 temps, bac de ramassage 55 l.", "2585"),
    ("Manette sans fil pour console", None, "50"),
    ("Housse de couette 220 x 240 coton", "Parure avec deux taies, 57 fils.", "1920"),
    ("Puzzle 1000 pièces Tour Eiffel", "Jeu de société et de patience.", "1281"),
    ("Croquettes pour chat stérilisé 10 kg", None, "2220"),
]


@dataclass
class Shop:
    """What there is, and what a test can change."""

    items: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    seen_keys: dict[str, Any] = field(default_factory=dict)
    users: list[dict[str, Any]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    decided: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What another reviewer says of an event meanwhile."""
    held: set[str] = field(default_factory=set)
    """Events that another reviewer has before them."""
    refuses: set[str] = field(default_factory=set)
    """Events on which no verdict is taken."""
    stored_after: int = 0
    """How often an item is asked for before it is there."""
    released: set[str] = field(default_factory=set)
    champion: str = VERSION
    challenger: str | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill the shelves."""
        draw = random.Random(7)
        self.items = [_item(number, draw) for number in range(60)]
        self.users = [_user("admin", "admin"), _user("reviewer", "reviewer"), _user("customer", "customer")]
        self.runs = [_run(3, "running"), _run(2, "promoted"), _run(1, "refused")]

    def item(self, event_id: str) -> dict[str, Any]:
        """The item of an event."""
        return next(one for one in self.items if one["event_id"] == event_id)


def _user(name: str, role: str) -> dict[str, Any]:
    at = (NOW - timedelta(days=9)).isoformat()
    return {
        "name": name, "role": role, "disabled": False, "invited": False, "created_at": at,
        "signed_in_at": NOW.isoformat(), "locked_until": None,
    }  # fmt: skip


def _run(number: int, state: str) -> dict[str, Any]:
    begun = NOW - timedelta(hours=8 * (4 - number))
    ended = None if state == "running" else (begun + timedelta(minutes=6)).isoformat()
    return {
        "id": number, "state": state, "trigger": "corrections", "why": "312 corrections since the last training",
        "by": "retrain", "asked_at": begun.isoformat(), "started_at": begun.isoformat(), "ended_at": ended,
        "attempt": 1, "step": "fit" if state == "running" else "", "part": 0.42 if state == "running" else 1.0,
        "champion": VERSION, "version": None if state == "running" else f"2026112{number}-090000-aaaaaa",
        "outcome": "" if state == "running" else "better by 0.012 on the golden set", "cancel": False,
    }  # fmt: skip


def _item(number: int, draw: random.Random) -> dict[str, Any]:
    title, description, code = TITLES[number % len(TITLES)]
    event_id = str(uuid5(NAMESPACE_URL, str(number)))
    at = NOW - timedelta(minutes=7 * number + 1)
    return {
        "event_id": event_id,
        "product_id": f"B-{2000 + number}",
        "state": "pending",
        "product": {
            "title": f"{title} · {number}",
            "description": description,
            "photo": {"link": f"/api/v1/items/{event_id}/photo", "sha256": "0" * 64} if number % 3 else None,
            "published_at": at.isoformat(),
            "submitted_by": "customer",
        },
        "prediction": prediction(event_id, code, 0.31 + 0.3 * draw.random(), at),
        "verdict": None,
        "dead_letter": None,
    }


def explanation(title: str) -> dict[str, Any]:
    """The first words of a title as what decided."""
    words = [word.strip(",.") for word in title.split() if len(word) > 3][:4]
    terms = [
        {
            "text": word.lower(), "kind": "word", "field": "title", "contribution": round(1.4 / (1 + at), 3),
            "spans": [{"start": title.index(word), "end": title.index(word) + len(word)}],
        }
        for at, word in enumerate(words)
    ]  # fmt: skip
    return {"terms": terms, "ngrams": []}


def prediction(event_id: str, code: str, confidence: float, at: datetime) -> dict[str, Any]:
    """An answer of the model."""
    codes = [code, *[other for other in ("1280", "2522", "1560", "10", "2060") if other != code]][:5]
    rest = 1 - confidence
    shares = [confidence, rest * 0.45, rest * 0.25, rest * 0.12, rest * 0.08]
    category = TAXONOMY.category(code, "fr")
    return {
        "event_id": event_id, "product_id": "B-1", "category": category.model_dump(), "confidence": confidence,
        "top": [
            {"code": one, "label": TAXONOMY.category(one, "fr").label, "probability": share}
            for one, share in zip(codes, shares, strict=True)
        ],
        "needs_review": confidence < 0.7, "decided_by": "text", "modalities": ["title", "description"],
        "notes": ["no photo was given"], "model": {"name": "text", "version": VERSION}, "classified_at": at.isoformat(),
    }  # fmt: skip


def problem(status: int, code: str, detail: str, *, retryable: bool = False) -> JSONResponse:
    """Problem details."""
    told = {
        "type": f"urn:aisle:problem:{code}", "title": code, "status": status, "detail": detail,
        "request_id": "0192f0c1-3f52-7d9e", "retryable": retryable,
    }  # fmt: skip
    return JSONResponse(told, status, media_type="application/problem+json")


def photo() -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((320, 240)).save(file, "PNG")
    return file.getvalue()
