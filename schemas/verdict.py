"""What a person decided for a content, as it stands: the value of a record on the topic ``verdicts``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.feedback import ShortText
from schemas.ids import EventId
from schemas.product import Identifier
from schemas.time import Instant


class ContentVerdict(BaseModel):
    """The category of every product with this content, whatever a model would say.

    The record's key is :func:`schemas.content.content_key`; a record without a value takes the decision back.
    """

    model_config = ConfigDict(extra="ignore")

    code: Identifier = Field(description="The category.")
    verdict: Literal["validated", "corrected"] = Field(description="What was said of the event's prediction.")
    by: ShortText = Field(description="Who decided.")
    at: Instant = Field(description="When.")
    event_id: EventId = Field(description="The event that the verdict was given on.")
    feedback_id: ShortText = Field(description="The verdict.")
