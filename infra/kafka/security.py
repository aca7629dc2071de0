"""How a client proves who it is to the brokers, and knows them: what every Kafka client of aisle is made with."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from infra.errors import SettingsInvalid
from infra.kafka.tokens import FileToken, Tokens, UrlToken
from infra.local.secrets import LocalSecrets
from infra.secret_files import secret_of, unreadable
from infra.settings import Settings, load_settings

_TLS: Final = ("SSL", "SASL_SSL")
_SASL: Final = ("SASL_PLAINTEXT", "SASL_SSL")
_FILES: Final = ("ca_file", "certificate_file", "key_file")
_UNUSED: Final = {
    "PLAINTEXT": ("user", "password", "password_file", *_FILES, "token_file", "token_url"),
    "SASL_PLAINTEXT": _FILES,
}


@dataclass(frozen=True, slots=True)
class Security:
    """What a client is made with.

    Args:
        protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        context: How TLS is spoken; None without it.
        mechanism: Of SASL; None without it.
        user: For PLAIN and SCRAM.
        password: For these; never shown.
        tokens: For OAUTHBEARER.
    """

    protocol: str = "PLAINTEXT"
    context: ssl.SSLContext | None = None
    mechanism: str | None = None
    user: str | None = None
    password: str | None = None
    tokens: Tokens | None = None

    def __repr__(self) -> str:
        return f"Security({self.protocol}, {self.mechanism}, user={self.user})"

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients."""
        given: Mapping[str, Any] = {
            "ssl_context": self.context,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
            "sasl_oauth_token_provider": self.tokens,
        }
        return {"security_protocol": self.protocol} | {
            name: value for name, value in given.items() if value is not None
        }


def client_security(settings: Settings | None = None) -> Security:
    """What a client is made with, from the settings; the local broker's own secrets where none are named.

    Args:
        settings: None: those of this process.

    Raises:
        SettingsInvalid: Something is missing, contradicts itself, or names a file that cannot be used.
    """
    settings = settings or load_settings()
    protocol = settings.kafka_security_protocol
    _refuse_unused(settings)
    if protocol == "PLAINTEXT":
        return Security()
    local = None if settings.kafka_bootstrap else LocalSecrets.found(settings.data_dir)
    context = _context(settings, local) if protocol in _TLS else None
    if protocol not in _SASL:
        return Security(protocol, context)
    mechanism = settings.kafka_sasl_mechanism
    if mechanism == "OAUTHBEARER":
        return Security(protocol, context, mechanism, tokens=_tokens(settings))
    user, password = settings.kafka_user, _password(settings)
    if local is not None and user is None and password is None:
        user, password = local.user, local.password
    if user is None or password is None:
        _missing(f"{mechanism} takes a user and a password.", "Set AISLE_KAFKA_USER and AISLE_KAFKA_PASSWORD_FILE.")
    return Security(protocol, context, mechanism, user, password)


def _password(settings: Settings) -> str | None:
    return secret_of("AISLE_KAFKA_PASSWORD", settings.kafka_password, settings.kafka_password_file)


def _refuse_unused(settings: Settings) -> None:
    """What is set and not used is a mistake: one would think that it protects, and a password goes in the clear."""
    protocol = settings.kafka_security_protocol
    if found := [name for name in _UNUSED.get(protocol, ()) if getattr(settings, f"kafka_{name}") is not None]:
        _missing(
            f"AISLE_KAFKA_{found[0].upper()} is set, and AISLE_KAFKA_SECURITY_PROTOCOL is {protocol}, which uses none.",
            "Set AISLE_KAFKA_SECURITY_PROTOCOL=SASL_SSL, or as your brokers want it.",
        )


def _context(settings: Settings, local: LocalSecrets | None) -> ssl.SSLContext:
    trusted = settings.kafka_ca_file or (local.ca if local else None)
    try:
        context = ssl.create_default_context(cafile=trusted)
    except (OSError, ssl.SSLError) as error:
        raise unreadable("AISLE_KAFKA_CA_FILE", trusted or Path(), error) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if (shown := settings.kafka_certificate_file) is not None:
        try:
            context.load_cert_chain(shown, settings.kafka_key_file, _no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise unreadable("AISLE_KAFKA_CERTIFICATE_FILE", shown, error) from None
    elif settings.kafka_key_file is not None:
        _missing("AISLE_KAFKA_KEY_FILE is set without AISLE_KAFKA_CERTIFICATE_FILE.", "Set both.")
    return context


def _no_password() -> NoReturn:
    """OpenSSL would ask on the terminal."""
    raise ValueError("its private key is encrypted; keep it unencrypted, readable by aisle alone")


def _tokens(settings: Settings) -> Tokens:
    path, url = settings.kafka_token_file, settings.kafka_token_url
    if (path is None) == (url is None):
        _missing("OAUTHBEARER takes a token.", "Set either AISLE_KAFKA_TOKEN_FILE or AISLE_KAFKA_TOKEN_URL.")
    if path is not None:
        return FileToken(path)
    user, password = settings.kafka_user, _password(settings)
    if url is None or user is None or password is None:
        _missing("A token URL takes a user and a password.", "Set AISLE_KAFKA_USER and AISLE_KAFKA_PASSWORD_FILE.")
    return UrlToken.of(url, user, password, settings.kafka_token_scope)


def _missing(message: str, hint: str) -> NoReturn:
    raise SettingsInvalid(message, hint=hint)
