"""Accounts, as an admin sees them over HTTP."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.http.account import AccountName, GivenRole, Role


class UserInfo(BaseModel):
    """An account."""

    name: str
    role: Role
    disabled: bool
    invited: bool = Field(description="Whether it has no password yet.")
    created_at: datetime
    signed_in_at: datetime | None
    locked_until: datetime | None = Field(
        description="Until when nobody can sign in who has not before from the same browser or address, after too "
        "many wrong passwords."
    )


class NewUser(BaseModel):
    """An account to be made; whoever gets its link chooses the password."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: AccountName
    role: GivenRole


class UserChange(BaseModel):
    """What is to change of an account; null: stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: GivenRole | None = None
    disabled: bool | None = None


class Invitation(BaseModel):
    """A one-time link by which somebody sets the account's password; shown this once."""

    name: str
    token: str
    link: str = Field(examples=["https://aisle.example.org/welcome?token=…"])
    expires_at: datetime


class UserMade(BaseModel):
    """A new account and its link."""

    user: UserInfo
    invitation: Invitation
