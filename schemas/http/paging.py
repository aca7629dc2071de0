"""Long lists over HTTP come in pages."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A part of a list, and how to ask for the part behind it."""

    items: list[T]
    next: str | None = Field(
        default=None,
        description="The cursor of the next page; null behind the last. A search may give a page with few items or "
        "none, and a cursor to go on with.",
    )
