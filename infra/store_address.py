"""The store's address as its driver takes it: with the user, password and certificates that the settings name."""

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus, urlencode

from infra.errors import SettingsInvalid
from infra.secret_files import secret_of, unreadable
from infra.settings import Settings

_SCHEMES: Final = ("mongodb://", "mongodb+srv://")


def named_store(settings: Settings) -> str | None:
    """The URI of the store that the settings name, complete; None when they name none.

    Raises:
        SettingsInvalid: Something is given twice or half, or names a file that cannot be used.
    """
    uri = secret_of("AISLE_MONGODB_URI", settings.mongodb_uri, settings.mongodb_uri_file)
    if uri is None:
        return None
    if not uri.startswith(_SCHEMES):
        why = "does not begin with mongodb:// or mongodb+srv://"
        raise SettingsInvalid(f"AISLE_MONGODB_URI_FILE names {settings.mongodb_uri_file}, which {why}.")
    password = secret_of("AISLE_MONGODB_PASSWORD", settings.mongodb_password, settings.mongodb_password_file)
    return _with_options(_with_user(uri, settings.mongodb_user, password), _tls(settings))


def tls_hint(error: Exception) -> tuple[str, str] | None:
    """What is wrong with TLS, as far as a driver's error tells, and what to do; None when it tells of nothing such."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "shows a certificate that is not trusted", "Name what it is signed by in AISLE_MONGODB_CA_FILE."
    if "CERTIFICATE_REQUIRED" in text:
        return "wants a certificate of ours", "Set AISLE_MONGODB_CERTIFICATE_FILE."
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text or "SSL handshake failed" in text:
        return "speaks no TLS that we do", "Set AISLE_MONGODB_TLS=false, or have it speak TLS."
    if "connection closed" in text:
        return "ends every connection", "If it wants TLS, set AISLE_MONGODB_TLS=true."
    return None


def _with_user(uri: str, user: str | None, password: str | None) -> str:
    if (user is None) != (password is None):
        raise SettingsInvalid("AISLE_MONGODB_USER and AISLE_MONGODB_PASSWORD_FILE go together.", hint="Set both.")
    if user is None or password is None:
        return uri
    scheme, _, rest = uri.partition("://")
    if "@" in rest.partition("/")[0]:
        raise SettingsInvalid("AISLE_MONGODB_USER is set, and the store's URI names a user too.", hint="Keep one.")
    return f"{scheme}://{quote_plus(user)}:{quote_plus(password)}@{rest}"


def _tls(settings: Settings) -> dict[str, str]:
    ca, shown = settings.mongodb_ca_file, settings.mongodb_certificate_file
    if not settings.mongodb_tls and ca is None and shown is None:
        return {}
    context = ssl.create_default_context()
    options = {"tls": "true"}
    try:
        if ca is not None:
            context.load_verify_locations(ca)
            options["tlsCAFile"] = str(ca.resolve())
    except (OSError, ssl.SSLError) as error:
        raise unreadable("AISLE_MONGODB_CA_FILE", ca or Path(), error) from None
    try:
        if shown is not None:
            context.load_cert_chain(shown, password="")
            options["tlsCertificateKeyFile"] = str(shown.resolve())
    except (OSError, ssl.SSLError, ValueError) as error:
        raise unreadable("AISLE_MONGODB_CERTIFICATE_FILE", shown or Path(), error) from None
    return options


def _with_options(uri: str, options: dict[str, str]) -> str:
    address, asked, given = uri.partition("?")
    options = {name: value for name, value in options.items() if f"{name}=" not in given}
    if not options:
        return uri
    if not asked and "/" not in address.partition("://")[2]:
        address += "/"
    return f"{address}?{given + '&' if given else ''}{urlencode(options)}"
