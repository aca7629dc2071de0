"""Texts that people give over HTTP."""

from typing import Annotated

from pydantic import Field

from schemas.limits import MAX_ID_CHARS, MAX_NOTE_CHARS

Why = Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"^[^\x00]+$")]
"""A reason, for the record. Not every store keeps a NUL."""

Name = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS, pattern=r"^[^\x00]+$")]
"""A product id or a kind of error, to search for."""
