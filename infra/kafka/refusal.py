"""Why a broker that is there is of no use to us: aiokafka's clients log it and say only that none answers."""

import asyncio
import ssl
from contextlib import suppress
from typing import Final

from aiokafka import errors
from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from infra.errors import BrokerRefused
from infra.kafka.security import Security

_WAIT_S: Final = 3.0
_PROTOCOL: Final = "Set AISLE_KAFKA_SECURITY_PROTOCOL to what its listener speaks"
# On the wire a broker's listener that takes something else can only close the connection, or say nothing we know.
_CLOSED: Final = (errors.KafkaConnectionError, errors.CorrelationIdError, ConnectionError, EOFError)


async def why_refused(bootstrap: str, security: Security) -> BrokerRefused | None:
    """What the first broker that takes connections has against us; None when none does, or all is well by now.

    Args:
        bootstrap: ``host:port`` of the brokers.
        security: How they were spoken to.
    """
    for host, port, _ in collect_hosts(bootstrap):
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_WAIT_S):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                return await _refusal(host, port, security)
    return None


async def _refusal(host: str, port: int, security: Security) -> BrokerRefused | None:
    where = f"The broker at {host}:{port}"
    try:
        connection = await create_conn(host, port, request_timeout_ms=int(_WAIT_S * 1_000), **security.arguments())
    except ssl.SSLCertVerificationError as error:
        return BrokerRefused(
            f"{where} shows a certificate that is not trusted: {error.verify_message}.",
            hint="Name the certificate it is signed by in AISLE_KAFKA_CA_FILE, and the broker as the certificate does.",
        )
    except ssl.SSLError as error:
        return BrokerRefused(f"{where} speaks no TLS that we do: {error.reason}.", hint=_by_tls(error))
    except (KafkaError, ConnectionError, EOFError) as error:
        return await _of_error(where, error, (host, port), security)
    return await _of_request(where, connection, security)


async def _of_error(where: str, error: Exception, address: tuple[str, int], security: Security) -> BrokerRefused | None:
    if (told := _of_sasl(error, security)) is not None:
        return BrokerRefused(f"{where} {told[0]}.", hint=told[1])
    if "AISLE_KAFKA_TOKEN" in str(error):
        return BrokerRefused(str(error.args[0]))
    if isinstance(error, _CLOSED) and security.context is None and await _speaks_tls(*address):
        return BrokerRefused(f"{where} speaks TLS.", hint=f"{_PROTOCOL}: SSL or SASL_SSL.")
    if isinstance(error, _CLOSED) and security.context is not None and await _speaks_plainly(*address):
        return BrokerRefused(f"{where} speaks no TLS.", hint=f"{_PROTOCOL}: PLAINTEXT or SASL_PLAINTEXT.")
    return _of_alert(where, error)


def _of_sasl(error: Exception, security: Security) -> tuple[str, str] | None:
    """What the broker does, and what to do about it, where it said so itself."""
    match error:
        case errors.SaslAuthenticationFailed() if security.tokens is not None:
            return "does not accept our token", "Check the token."
        case errors.SaslAuthenticationFailed():
            hint = "Check AISLE_KAFKA_USER and AISLE_KAFKA_PASSWORD_FILE."
            return f"does not accept the user {security.user} or the password", hint
        case errors.UnsupportedSaslMechanismError():
            return f"does not take {security.mechanism}", "Set AISLE_KAFKA_SASL_MECHANISM to one that it has."
        case errors.IllegalSaslStateError():
            return "asks nobody who they are", f"{_PROTOCOL}: one without SASL."
    return None


def _of_alert(where: str, error: BaseException) -> BrokerRefused | None:
    """What TLS ended with, after it began well."""
    if (cause := _tls_alert(error)) is None:
        return None
    return BrokerRefused(f"{where} ends TLS: {cause.reason}.", hint=_by_tls(cause))


async def _of_request(where: str, connection: AIOKafkaConnection, security: Security) -> BrokerRefused | None:
    """Ask for something: a broker that wants to know who one is answers no such thing.

    A token is refused in words that aiokafka does not read (RFC 7628, 3.2.2): the broker then takes what comes next
    for the rest of that talk.
    """
    no_token = BrokerRefused(f"{where} does not accept our token.", hint="Check the token.")
    try:
        answer = await connection.send(MetadataRequest([]))
        if security.tokens is not None and not answer.brokers:
            return no_token
    except _CLOSED as error:
        if security.tokens is not None:
            return no_token
        if (ended := _of_alert(where, error)) is not None:
            return ended
        return BrokerRefused(f"{where} wants to know who asks.", hint=f"{_PROTOCOL}: SASL_PLAINTEXT or SASL_SSL.")
    finally:
        connection.close()
    return None


async def _speaks_tls(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        return True  # it has shown a certificate
    except (OSError, EOFError):
        return False
    writer.close()
    return True


async def _speaks_plainly(host: str, port: int) -> bool:
    """Whether it says what it can, which any listener without TLS does."""
    try:
        connection = await create_conn(host, port, request_timeout_ms=int(_WAIT_S * 1_000))
    except (KafkaError, OSError, EOFError):
        return False
    connection.close()
    return True


def _tls_alert(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__
    return None


def _by_tls(error: ssl.SSLError) -> str:
    if "CERTIFICATE" in str(error.reason):
        return "It wants a certificate of ours: set AISLE_KAFKA_CERTIFICATE_FILE and AISLE_KAFKA_KEY_FILE."
    return "See the broker's log: protocols and ciphers have to meet."
