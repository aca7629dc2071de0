"""What a verdict that somebody asks for comes to: what is sent, and what the audit log says of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import uuid4, uuid5

from infra.lease import utc_now
from infra.store import Document
from infra.stored_items import decided_code
from model.shelves import check_code
from schemas.feedback import Feedback
from schemas.http.verdict import VerdictRequest
from schemas.ids import NAMESPACE
from schemas.taxonomy import Taxonomy
from workers.gateway.access import Principal
from workers.gateway.audit import Deed
from workers.gateway.errors import AlreadyJudged, Conflict, KeyReused, Unprocessable
from workers.gateway.items.view import WITHDRAWN
from workers.gateway.review.history import GIVE, History, standing

_TICK: Final = timedelta(milliseconds=1)  # the store's


@dataclass(frozen=True, slots=True)
class Asked:
    """Who gives verdicts, and by which request.

    Args:
        who: The caller.
        key: Names the request: given again, it changes nothing.
        request_id: Of the request, for the audit log.
    """

    who: Principal
    key: str | None
    request_id: str | None

    def feedback_id(self, event_id: str) -> str:
        """What names the verdict on an event: the same for the same key of the same caller."""
        if self.key is None:
            return str(uuid4())
        name = self.who.name
        return str(uuid5(NAMESPACE, f"gateway verdict\n{len(name)}\n{name}\n{event_id}\n{self.key}"))


@dataclass(frozen=True, slots=True)
class Planned:
    """A verdict that can be given, and what the audit log says of it; None: it has said so already."""

    feedback: Feedback
    deed: Deed | None
    code: str | None
    needs_review: bool


def plan(row: VerdictRequest, asked: Asked, item: Document, history: History, taxonomy: Taxonomy | None) -> Planned:
    """What a verdict comes to.

    Args:
        row: What is asked for.
        asked: By whom.
        item: What it is about, as stored.
        history: What was said of it before.
        taxonomy: What codes are held to; None takes any.

    Raises:
        CodeUnknown: There is no such category.
        Unprocessable: There is no prediction to be right.
        AlreadyJudged: Another person's verdict stands, which the caller had not seen.
        Conflict: The caller's word is not the one in force, so there is nothing to undo.
        KeyReused: The key was used for another verdict.
    """
    feedback_id = asked.feedback_id(row.event_id)
    noted = history.given.get(feedback_id)
    before = standing(item, history, but=feedback_id)
    told = noted is not None and feedback_id not in history.failed
    if not told:
        _check_seen(row, asked.who.name, before)
    if noted is not None:
        said = _noted(row, noted)
    else:
        said = _said(row, _former(row, asked.who.name, history, before), item, taxonomy)
        said["at"] = _time_after(before)
    code = said["code"] if said["verdict"] == "corrected" else None
    feedback = Feedback(
        feedback_id=feedback_id,
        event_id=row.event_id,
        product_id=item.get("product_id"),
        verdict=said["verdict"],
        code=code,
        by=asked.who.name,
        at=said["at"],
        note=said.get("note"),
    )
    after = said | {"feedback_id": feedback_id}
    deed = Deed(GIVE, row.event_id, _before(item, before), after)
    needs_review = bool(item.get("prediction", {}).get("needs_review"))
    return Planned(feedback, None if told else deed, said["code"], needs_review)


def _check_seen(row: VerdictRequest, who: str, before: Document | None) -> None:
    """Let nobody override what another person said without having seen it.

    Raises:
        AlreadyJudged: The verdict in force is another's, and not the one that the caller names as seen.
    """
    if not row.names_seen or before is None or before["verdict"] == WITHDRAWN or before["by"] == who:
        return
    if before["feedback_id"] != row.seen:
        raise AlreadyJudged(
            f"{before['by']} has decided meanwhile: {before['verdict']}.",
            hint="Look at what was decided; name its feedback_id as seen to decide anyway.",
            stands=before,
        )


def _former(row: VerdictRequest, who: str, history: History, before: Document | None) -> Document | None:
    """What stood before the verdict that a row takes back; None where it takes back none."""
    return _undone(who, history, before) if row.verdict == "undo" else None


def _said(row: VerdictRequest, former: Document | None, item: Document, taxonomy: Taxonomy | None) -> Document:
    """What a row comes to: {verdict, code, note?, undoes?}."""
    predicted = item.get("prediction", {}).get("category", {}).get("code")
    verdict, code = cast(str, row.verdict), row.code
    said: Document = {} if row.note is None else {"note": row.note}
    if former is not None:
        said["undoes"] = former["feedback_id"]
        verdict, code = former.get("verdict") or WITHDRAWN, former.get("code")
    if verdict == "corrected":
        check_code(code, taxonomy)
        verdict = "validated" if code == predicted else verdict  # naming what was predicted says that it is right
    if verdict == "validated":
        if predicted is None:
            raise Unprocessable("There is no prediction that could be right.", hint="Name the category.")
        code = predicted
    return said | {"verdict": verdict, "code": code if verdict in ("corrected", "validated") else None}


def _time_after(before: Document | None) -> datetime:
    """Now, as exactly as the store keeps it, and in any case later than what was said before."""
    now = utc_now()
    return now if before is None else max(now, before["at"] + _TICK)


def _noted(row: VerdictRequest, entry: Document) -> Document:
    """What the audit log says that this key's verdict is.

    Raises:
        KeyReused: It was another one.
    """
    said: Document = {name: value for name, value in entry["after"].items() if name != "feedback_id"}
    undo = "undoes" in said
    same = undo if row.verdict == "undo" else not undo and _agrees(row, said)
    if not same:
        raise KeyReused("This Idempotency-Key was used for another verdict.", hint="Give each request its own.")
    return said


def _agrees(row: VerdictRequest, said: Document) -> bool:
    if row.verdict == "corrected":
        return said["verdict"] in ("corrected", "validated") and said["code"] == row.code
    return bool(row.verdict == said["verdict"])


def _undone(who: str, history: History, before: Document | None) -> Document:
    """What stood before the verdict that an undo takes back, with that one's feedback_id.

    Raises:
        Conflict: It is not the caller's.
    """
    if before is None or before["verdict"] == WITHDRAWN or before["by"] != who:
        raise Conflict("There is no verdict of yours to undo: none stands, or another's does.")
    entry: dict[str, Any] = history.given.get(before["feedback_id"]) or {}
    return (entry.get("before") or {}) | {"feedback_id": before["feedback_id"]}


def _before(item: Document, before: Document | None) -> Document:
    """How an item stood: the verdict on it, if any, and the category in force."""
    predicted = item.get("prediction", {}).get("category", {}).get("code")
    if before is None or before["verdict"] == WITHDRAWN:
        said = None if before is None else WITHDRAWN
        return {"verdict": said, "code": predicted, "by": None if before is None else before["by"]}
    return {"verdict": before["verdict"], "code": decided_code(item | {"verdict": before}), "by": before["by"]}
