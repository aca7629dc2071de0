"""The local broker: Apache Kafka in KRaft mode, one node that is broker and controller."""

import os
import shutil
from pathlib import Path
from typing import Any, Final

from infra.errors import ServiceFailed
from infra.local.ports import HOST
from infra.local.secrets import LocalSecrets, secrets_dir
from schemas.limits import KIB, MAX_RECORD_BYTES

HEAP: Final = ("-Xms128m", "-Xmx512m")

_LOG_DIR: Final = "log"
_FRESH_DIR: Final = "log.new"
_PROPERTIES: Final = "server.properties"
_FORMAT: Final = "format.properties"
_SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_MODULES: Final = "org.apache.kafka.common.security"
_BATCH_BYTES: Final = MAX_RECORD_BYTES + 64 * KIB  # the largest record, its headers and the batch around it


def properties(
    ports: dict[str, int], log_dir: Path, protocol: str = "PLAINTEXT", secrets: LocalSecrets | None = None
) -> str:
    """The broker's configuration as a Java properties file.

    The quorum is static: its voters are read from here and not from the log, so the controller's port may
    change from one start to the next.

    Args:
        ports: Of ``broker`` and ``controller``.
        log_dir: Its data.
        protocol: How it is spoken to, on both.
        secrets: What it proves itself by and knows its user by; none is taken for PLAINTEXT.
    """
    broker, controller = f"{HOST}:{ports['broker']}", f"{HOST}:{ports['controller']}"
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"BROKER://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"BROKER://{broker}",
        "inter.broker.listener.name": "BROKER",
        "listener.security.protocol.map": f"BROKER:{protocol},CONTROLLER:{protocol}",
        "log.dirs": str(log_dir),
        "auto.create.topics.enable": "false",
        "message.max.bytes": _BATCH_BYTES,
        "replica.fetch.max.bytes": _BATCH_BYTES,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # A broker that was killed may register again only when its former session is over (9 s by default).
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 3_000,
    }
    if secrets is not None and "SSL" in protocol:
        lines |= _tls(secrets)
    if secrets is not None and "SASL" in protocol:
        lines |= _sasl(secrets)
    return "".join(f"{name}={_escaped(str(value))}\n" for name, value in lines.items())


def _tls(secrets: LocalSecrets) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(secrets.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(secrets.ca),
    }


def _sasl(secrets: LocalSecrets) -> dict[str, str]:
    """One user, which the broker itself is too; for SCRAM it is told of it when its storage is formatted."""
    who = f'required username="{secrets.user}" password="{secrets.password}"'
    plain = f'{_MODULES}.plain.PlainLoginModule {who} user_{secrets.user}="{secrets.password}";'
    return {
        "sasl.enabled.mechanisms": ",".join(("PLAIN", *_SCRAM)),
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "listener.name.broker.plain.sasl.jaas.config": plain,
    } | {
        f"listener.name.broker.{name.lower()}.sasl.jaas.config": f"{_MODULES}.scram.ScramLoginModule {who};"
        for name in _SCRAM
    }


def write_properties(folder: Path, ports: dict[str, int], protocol: str = "PLAINTEXT") -> Path:
    """Write the configuration, and that for formatting, into the broker's folder.

    Raises:
        ServiceFailed: The broker was made when nobody was asked who he is, and knows no user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    secrets = None
    if protocol != "PLAINTEXT":
        if (folder / _LOG_DIR).exists() and not secrets_dir(folder.parent).exists():
            raise ServiceFailed(
                f"The broker in {folder} was made for AISLE_KAFKA_SECURITY_PROTOCOL=PLAINTEXT.",
                hint="Leave it so, or set AISLE_DATA_DIR to a new folder.",
            )
        secrets = LocalSecrets.ensure(folder.parent)
    _write(folder / _FORMAT, properties(ports, folder / _FRESH_DIR, protocol, secrets))
    return _write(folder / _PROPERTIES, properties(ports, folder / _LOG_DIR, protocol, secrets))


def _write(path: Path, text: str) -> Path:
    """Write a file that may hold a password."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path


class Broker:
    """The broker inside this process's Java runtime.

    Args:
        folder: Its data and configuration.
        java: The ``jpype`` module, its runtime started.
    """

    def __init__(self, folder: Path, java: Any) -> None:
        self._folder = folder
        self._java = java
        self._server: Any = None

    def start(self) -> None:
        """Serve; returns when the broker takes requests."""
        self._format_once()
        java = self._java
        props = java.JClass("kafka.Kafka").getPropsFromArgs(self._strings(str(self._folder / _PROPERTIES)))
        config = java.JClass("kafka.server.KafkaConfig").fromProps(props)
        clock = java.JClass("org.apache.kafka.common.utils.Time").SYSTEM
        self._server = java.JClass("kafka.server.KafkaRaftServer")(config, clock)
        self._server.startup()

    def stop(self) -> None:
        """Hand over cleanly: logs are closed, so the next start need not recover them."""
        self._server.shutdown()
        self._server.awaitShutdown()

    def _format_once(self) -> None:
        if (self._folder / _LOG_DIR).exists():
            return
        # Formatted under another name first, so that a kill in between leaves nothing half made.
        fresh = self._folder / _FRESH_DIR
        shutil.rmtree(fresh, ignore_errors=True)
        java = self._java
        cluster = str(java.JClass("org.apache.kafka.common.Uuid").randomUuid().toString())
        command = ("format", "--cluster-id", cluster, "--config", str(self._folder / _FORMAT), *self._users())
        status = java.JClass("kafka.tools.StorageTool").execute(
            self._strings(*command), java.JClass("java.lang.System").out
        )
        if status:
            raise RuntimeError(f"formatting the broker's storage ended with status {status}")
        fresh.rename(self._folder / _LOG_DIR)

    def _users(self) -> list[str]:
        """The options that tell it of its user, within this process: no other sees them."""
        if (secrets := LocalSecrets.found(self._folder.parent)) is None:
            return []
        known = f"[name={secrets.user},password={secrets.password}]"
        return [option for name in _SCRAM for option in ("--add-scram", f"{name}={known}")]

    def _strings(self, *texts: str) -> Any:
        return self._java.JArray(self._java.JString)(texts)


def _escaped(text: str) -> str:
    """Java reads properties as Latin-1: what is not ASCII is written as UTF-16 escapes."""
    units = text.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
