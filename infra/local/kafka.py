"""The local broker: Apache Kafka in KRaft mode, one node that is broker and controller."""

import shutil
from pathlib import Path
from typing import Any, Final

from infra.local.ports import HOST
from schemas.limits import KIB, MAX_RECORD_BYTES

HEAP: Final = ("-Xms128m", "-Xmx512m")

_LOG_DIR: Final = "log"
_FRESH_DIR: Final = "log.new"
_PROPERTIES: Final = "server.properties"
_FORMAT: Final = "format.properties"
_BATCH_BYTES: Final = MAX_RECORD_BYTES + 64 * KIB  # the largest record, its headers and the batch around it


def properties(ports: dict[str, int], log_dir: Path) -> str:
    """The broker's configuration as a Java properties file.

    The quorum is static: its voters are read from here and not from the log, so the controller's port may
    change from one start to the next.
    """
    broker, controller = f"{HOST}:{ports['broker']}", f"{HOST}:{ports['controller']}"
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
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
    return "".join(f"{name}={_escaped(str(value))}\n" for name, value in lines.items())


def write_properties(folder: Path, ports: dict[str, int]) -> Path:
    """Write the configuration, and that for formatting, into the broker's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FORMAT).write_text(properties(ports, folder / _FRESH_DIR))
    path = folder / _PROPERTIES
    path.write_text(properties(ports, folder / _LOG_DIR))
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
        command = ("format", "--cluster-id", cluster, "--config", str(self._folder / _FORMAT))
        status = java.JClass("kafka.tools.StorageTool").execute(
            self._strings(*command), java.JClass("java.lang.System").out
        )
        if status:
            raise RuntimeError(f"formatting the broker's storage ended with status {status}")
        fresh.rename(self._folder / _LOG_DIR)

    def _strings(self, *texts: str) -> Any:
        return self._java.JArray(self._java.JString)(texts)


def _escaped(text: str) -> str:
    """Java reads properties as Latin-1: what is not ASCII is written as UTF-16 escapes."""
    units = text.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
