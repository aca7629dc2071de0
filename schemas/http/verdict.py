"""Saying over HTTP what products are."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.feedback import ShortText, Verdict
from schemas.http.item import ItemVerdict
from schemas.ids import EventId
from schemas.limits import MAX_ID_CHARS, MAX_NOTE_CHARS

MOST_VERDICTS = 500

Code = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS, pattern=r"\S")]


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)  # null says something else than nothing


class VerdictRequest(BaseModel):
    """A verdict on one item."""

    model_config = ConfigDict(strict=True, extra="forbid")

    event_id: EventId
    verdict: Literal["validated", "corrected", "rejected", "withdrawn", "undo"] = Field(
        description="validated: the prediction is right; corrected: code is; rejected: no category fits; withdrawn: "
        "all that was said is taken back; undo: what was said before the caller's last verdict counts again."
    )
    code: Code | None = Field(default=None, description="The right category; with corrected, and only with it.")
    note: Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARS)] | None = None
    seen: ShortText | None = Field(
        default=None,
        description="The feedback_id of the verdict that the caller saw on the item, null for none. Where another "
        "person's stands by now, this one is not taken (already-judged). Without the field it is taken in any case.",
        json_schema_extra=_without_default,
    )

    @property
    def names_seen(self) -> bool:
        """Whether the caller says what they saw, be it nothing."""
        return "seen" in self.model_fields_set

    @model_validator(mode="after")
    def _code_with_corrected(self) -> Self:
        if (self.verdict == "corrected") != (self.code is not None):
            raise ValueError("code goes with the verdict corrected, and only with it")
        return self


class VerdictsRequest(BaseModel):
    """Verdicts, each on another item."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "verdicts": [
                        {"event_id": "0b8e0000-0000-4000-8000-000000000001", "verdict": "validated", "seen": None},
                        {"event_id": "0b8e0000-0000-4000-8000-000000000002", "verdict": "corrected", "code": "2583"},
                    ]
                }
            ]
        },
    )

    verdicts: Annotated[list[VerdictRequest], Field(min_length=1, max_length=MOST_VERDICTS)]

    @model_validator(mode="after")
    def _each_event_once(self) -> Self:
        if len({one.event_id for one in self.verdicts}) < len(self.verdicts):
            raise ValueError("two verdicts are on the same event")
        return self


class RowProblem(BaseModel):
    """Why one verdict was not taken."""

    code: str = Field(description="A stable name of the kind of problem.")
    detail: str
    hint: str | None = None
    stands: ItemVerdict | None = Field(default=None, description="With already-judged: what another person decided.")


class VerdictAnswer(BaseModel):
    """What became of one verdict."""

    event_id: str
    feedback_id: str | None = Field(default=None, description="Names the verdict from now on.")
    verdict: Verdict | None = Field(default=None, description="As it was given; of an undo, what counts again.")
    code: str | None = Field(default=None, description="The category that it comes to, if any.")
    problem: RowProblem | None = Field(default=None, description="Why it was not taken.")


class VerdictsAnswer(BaseModel):
    """What became of each verdict, in the order of the request."""

    items: list[VerdictAnswer]
