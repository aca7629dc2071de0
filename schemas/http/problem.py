"""Problem details for HTTP APIs (RFC 9457): what every answer of status 400 and above says."""

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(description="The part, such as body.title or query.limit.", examples=["body.title"])
    message: str = Field(description="What is wrong with it.", examples=["String should have at most 1000 characters"])


class Problem(BaseModel):
    """Why a request was not done, and whether to try again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:aisle:problem:not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "No item has this id.",
                    "request_id": "0192f0c1-3f52-7d9e-9d0e-1d6a2b4a7f10",
                    "retryable": False,
                }
            ]
        }
    )

    type: str = Field(description="A URN that names the kind of problem; its end is a stable code.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What went wrong, for people.")
    hint: str | None = Field(default=None, description="What to do about it.")
    request_id: str = Field(description="Names this request in the logs.")
    retryable: bool = Field(description="Whether the same request may succeed later.")
    errors: list[FieldProblem] | None = Field(default=None, description="What is wrong with parts of the request.")
