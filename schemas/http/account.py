"""Who uses aisle over HTTP."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LONGEST_NAME: Final = 64
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200
LONGEST_KEY_NAME: Final = 100
LONGEST_KEY_DAYS: Final = 3_650

_MARKS: Final = frozenset("._-@+")


class Role(StrEnum):
    """What an account is for; the permission table says what each role may do."""

    CUSTOMER = "customer"
    REVIEWER = "reviewer"
    ADMIN = "admin"


def normal_name(name: str) -> str:
    """A name in the form that is kept: whoever types it in another one means the same account.

    Raises:
        ValueError: It is none.
    """
    normal = normalize("NFKC", normalize("NFKC", name).casefold())
    if (
        not 1 <= len(normal) <= LONGEST_NAME
        or not all(one.isalpha() or one.isdecimal() or one in _MARKS for one in normal)
        or set(normal) <= _MARKS
    ):  # "." and ".." mean something in a path
        raise ValueError(f"a name has 1 to {LONGEST_NAME} letters, digits, and of . _ - @ +")
    return normal


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not have control characters")
    return text


AccountName = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_NAME, examples=["ada"]),
    AfterValidator(normal_name),
]
"""Letters, digits, and of ``. _ - @ +``; capital letters and small ones are the same."""

TriedPassword = Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD, examples=["nine tall lamps"])]
NewPassword = Annotated[
    str,
    Field(
        min_length=SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
        description="Not the name, and none of the commonest.",
        examples=["nine tall lamps"],
    ),
]
GivenRole = Annotated[Role, Field(strict=False)]
Link = Annotated[str, Field(min_length=1, max_length=500, description="The token of a one-time link.")]


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class SignIn(_Asked):
    """Who wants in."""

    name: AccountName
    password: TriedPassword


class SignUp(_Asked):
    """Who wants an account."""

    name: AccountName
    password: NewPassword


class Accept(_Asked):
    """Who has a one-time link: an invitation, or that of the first admin."""

    token: Link
    name: AccountName | None = Field(default=None, description="For the first admin, who chooses one.")
    password: NewPassword


class SignedIn(BaseModel):
    """An access token, and for whom."""

    access_token: str = Field(description="For `Authorization: Bearer`.")
    token_type: str = Field(default="bearer", pattern="^bearer$")
    expires_in: int = Field(description="Seconds until it is over; then refresh.")
    name: str
    role: Role


class Me(BaseModel):
    """Who asks."""

    name: str
    role: Role
    key: str | None = Field(description="The API key it asks with; null with an access token.")


class PasswordChange(_Asked):
    """A password in place of another."""

    current: TriedPassword
    new: NewPassword


class SessionInfo(BaseModel):
    """Where somebody is signed in."""

    id: str
    current: bool = Field(description="Whether it is the one that asks.")
    agent: str = Field(description="What the browser said of itself.")
    created_at: datetime
    used_at: datetime
    expires_at: datetime


class NewKey(_Asked):
    """An API key to be made."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_KEY_NAME, examples=["shop importer"]),
        AfterValidator(_printable),
    ]
    days: int | None = Field(
        default=None, ge=1, le=LONGEST_KEY_DAYS, description="How long it is good for; null: always."
    )


class KeyInfo(BaseModel):
    """An API key, without its secret."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None = Field(description="When it was last used, to the minute.")


class KeyMade(KeyInfo):
    """A new API key; its secret is shown this once."""

    key: str = Field(description="For `Authorization: Bearer`. Nobody can show it again.")
