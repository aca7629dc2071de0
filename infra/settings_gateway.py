"""The settings of the gateway: where people and machines call aisle over HTTP, and what they may ask of it."""

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, field_validator

from schemas.limits import MIB

_Seconds = Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)]


class GatewaySettings(BaseModel):
    """What the gateway listens on, how long it waits, who may come in."""

    gateway_host: str = Field(
        "127.0.0.1", min_length=1, description="Address that the gateway listens on; 0.0.0.0: all of this machine's."
    )
    gateway_port: int = Field(8080, ge=0, le=65_535, description="Its port; 0: any free one.")
    gateway_url: str | None = Field(
        None,
        description="How people reach it, such as https://aisle.example.org, where a proxy stands before it; unset: by "
        "address and port. With https, cookies are kept to it.",
    )
    gateway_proxies: str = Field(
        "127.0.0.1",
        description="Addresses of proxies, comma-separated, whose word on the caller's address is taken.",
    )
    gateway_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="What access tokens are signed with, the same for all gateways of a cluster, at least 32 "
        "characters; unset: made at the first start and kept in the data directory.",
    )
    gateway_answer_s: _Seconds = Field(
        10, description="Longest wait for a prediction; after that the caller gets a link to it (202)."
    )
    gateway_pending: int = Field(
        10_000, ge=1, le=1_000_000, description="Most products that the gateway waits for at a time; more get 503."
    )
    gateway_body_bytes: int = Field(32 * MIB, ge=MIB, le=1_024 * MIB, description="Longest request body.")
    gateway_body_s: _Seconds = Field(
        30, description="Longest wait for a request body, beside a second for every 16 KiB of it."
    )
    gateway_access_minutes: float = Field(
        10, ge=1, le=60, allow_inf_nan=False, description="How long an access token is good for."
    )
    gateway_session_days: float = Field(
        14, gt=0, le=365, allow_inf_nan=False, description="How long one stays signed in without coming back."
    )
    gateway_sign_up: bool = Field(False, description="Whether anyone may make an account, with the role customer.")
    gateway_tries_per_minute: int = Field(
        30,
        ge=1,
        le=100_000,
        description="Most sign-ins, sign-ups and one-time links that one address may try a minute, at each gateway.",
    )

    gateway_predictions_per_minute: int = Field(
        6_000,
        ge=0,
        le=1_000_000,
        description="Most calls for predictions, by product or by file, that an account may make a minute, at each "
        "gateway; 0: any number.",
    )

    gateway_photo_uris: bool = Field(
        False,
        description="Whether customers may name photos by uri, and not only send their bytes; they can then look at "
        "every photo below AISLE_IMAGE_ROOTS whose name they know. Reviewers always may.",
    )

    @field_validator("gateway_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return None if value is None else value.rstrip("/")
