"""The Faust application class of aisle: our transport, and settings that lose nothing."""

from typing import Any, ClassVar, cast

import faust
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials
from faust.transport.drivers import aiokafka as stock
from mode import CrashingSupervisor

from infra.kafka.batching import BatchLimits
from infra.kafka.conductor import Conductor
from infra.kafka.consumer import Consumer
from infra.kafka.producer import Producer
from infra.kafka.security import Security, client_security
from infra.settings import Settings
from schemas.limits import KIB, MAX_RECORD_BYTES, MIB

_SEND_BATCH_BYTES = 256 * KIB  # 16 KiB, Faust's default, costs a third of the rate; more than this gains nothing
_COMMIT_S = 5.0  # for the commits around a rebalance
_HEARTBEAT_S = 4.0  # by which others hear that one came or went; a third of a long session would be too late


class Transport(stock.Transport):
    """The aiokafka driver with our consumer, producer and conductor."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer
    Conductor: ClassVar[type[Conductor]] = Conductor


class BatchApp(faust.App):
    """A Faust app whose agents receive batches of raw records.

    An agent that raises ends the process with nothing committed (``CrashingSupervisor``): with the default
    supervisor a failed batch is acknowledged and lost.
    """

    limits: BatchLimits
    poison_tries: int

    def _create_directories(self) -> None:
        """Faust keeps tables there, which aisle has none of; the working directory may be read-only."""

    def _crash(self, reason: BaseException) -> None:
        # The first reason is the cause; what follows, such as agents that are cancelled, are its effects.
        super()._crash(reason if self.crash_reason is None else self.crash_reason)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)

    @property
    def batch_consumer(self) -> Consumer:
        """The consumer, as the class that it is."""
        return cast(Consumer, self.consumer)

    @property
    def batch_producer(self) -> Producer:
        """The producer, as the class that it is."""
        return cast(Producer, self.producer)


def new_app(group: str, settings: Settings, bootstrap: str, **options: Any) -> BatchApp:
    """A Faust app for one consumer group.

    Args:
        group: Consumer group id.
        settings: Batch, commit, session, retry and security settings are used.
        bootstrap: ``host:port`` of the brokers, comma-separated.
        options: Further Faust settings.

    Raises:
        SettingsInvalid: As ``client_security``.
    """
    brokers = ";".join(f"kafka://{address.strip()}" for address in bootstrap.split(","))
    app = BatchApp(
        group,
        broker=brokers,
        **{  # type: ignore[arg-type] # one mapping of many types
            "agent_supervisor": CrashingSupervisor,
            "autodiscover": False,
            "broker_credentials": _credentials(client_security(settings)),
            "broker_commit_interval": settings.commit_interval_s,
            "broker_heartbeat_interval": min(_HEARTBEAT_S, settings.session_timeout_s / 3),
            "broker_max_poll_records": settings.batch_max_events,
            # After kills in the middle of a rebalance JoinGroup can block this long.
            "broker_request_timeout": max(15.0, settings.session_timeout_s),
            # A member gives up its partitions within the drain timeout; a dead one is waited for as long as this.
            "broker_rebalance_timeout": max(settings.session_timeout_s, settings.drain_timeout_s + _COMMIT_S),
            "broker_session_timeout": settings.session_timeout_s,
            "consumer_auto_offset_reset": "earliest",
            "consumer_group_instance_id": settings.instance_id,
            "consumer_max_fetch_size": MIB + 64 * KIB,
            "consumer_metadata_max_age_ms": 10_000,  # how late a worker notices new partitions; 5 min by default
            "producer_max_batch_size": _SEND_BATCH_BYTES,
            "producer_max_request_size": MAX_RECORD_BYTES + 64 * KIB,
            "producer_request_timeout": settings.retry_budget_s,  # Faust's default is 20 minutes
            "stream_wait_empty": True,
            "topic_allow_declare": False,
            "topic_disable_leader": True,
            "value_serializer": "raw",
            "web_enabled": False,
        }
        | options,
    )
    app.limits = BatchLimits(
        max_events=settings.batch_max_events,
        max_bytes=settings.batch_max_bytes,
        max_wait_s=settings.batch_max_wait_ms / 1000,
        latency_target_s=settings.latency_target_ms / 1000,
        drain_timeout_s=settings.drain_timeout_s,
    )
    app.poison_tries = settings.poison_tries
    return app


def _credentials(security: Security) -> Credentials | None:
    """The same in Faust's terms, which has a class for each way; None without any."""
    context = security.context
    if security.tokens is not None:
        return OAuthCredentials(oauth_cb=security.tokens, ssl_context=context)
    if security.mechanism is not None:
        user, password = security.user, security.password
        return SASLCredentials(username=user, password=password, ssl_context=context, mechanism=security.mechanism)
    return None if context is None else SSLCredentials(context)
