"""The settings by which aisle proves who it is to brokers and stores, and knows that they are who they say."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

_LOOPBACK = {("http", host) for host in ("127.0.0.1", "::1", "localhost")}


class SecuritySettings(BaseModel):
    """How to reach Kafka and MongoDB where they ask who one is. A secret is best named by its file."""

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT",
        description="How brokers are spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. The local broker follows, "
        "with certificates and a password of its own making.",
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "SCRAM-SHA-512",
        description="How brokers are told who one is: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER.",
    )
    kafka_user: str | None = Field(
        None, min_length=1, description="User at the brokers; the client's id at a token URL."
    )
    kafka_password: SecretStr | None = Field(None, description="Its password; a file is better.")
    kafka_password_file: Path | None = Field(None, description="File with that password, read when a worker starts.")
    kafka_ca_file: Path | None = Field(
        None, description="Certificates (PEM) by which brokers are trusted; unset: those of the system."
    )
    kafka_certificate_file: Path | None = Field(
        None, description="Certificate (PEM) that is shown to brokers, where they ask for one."
    )
    kafka_key_file: Path | None = Field(None, description="Its private key (PEM, not encrypted), if apart.")
    kafka_token_file: Path | None = Field(
        None, description="File with the token for OAUTHBEARER, which another program renews; read at each connection."
    )
    kafka_token_url: str | None = Field(
        None,
        description="Where a token for OAUTHBEARER is had for user and password, by OAuth's client credentials; https, "
        "or http on this machine.",
    )
    kafka_token_scope: str | None = Field(None, description="Scope that is asked for there.")

    mongodb_uri_file: Path | None = Field(
        None, description="File with the store's URI, in place of AISLE_MONGODB_URI: it may hold a password."
    )
    mongodb_user: str | None = Field(
        None, min_length=1, description="User at the store, in place of one in the URI; authSource there, else admin."
    )
    mongodb_password: SecretStr | None = Field(None, description="Its password; a file is better.")
    mongodb_password_file: Path | None = Field(None, description="File with that password, read when a process starts.")
    mongodb_tls: bool = Field(False, description="Whether the store is spoken to by TLS; a CA file says so as well.")
    mongodb_ca_file: Path | None = Field(
        None, description="Certificates (PEM) by which the store is trusted; unset: those of the system."
    )
    mongodb_certificate_file: Path | None = Field(
        None, description="Certificate and private key (PEM, one file) that are shown to the store."
    )

    @field_validator("kafka_token_url")
    @classmethod
    def _token_url(cls, value: str | None) -> str | None:
        if value is not None:
            url = urlsplit(value)
            if not url.hostname or (url.scheme != "https" and (url.scheme, url.hostname) not in _LOOPBACK):
                raise ValueError("must begin with https://, or with http:// and a loopback address")
        return value
