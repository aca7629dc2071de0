"""The embedded document store: speaks MongoDB's protocol and keeps its data in one file.

A convenience for one machine. It may lose the last second of acknowledged writes when it is killed; what is
older it has again at its next start.
"""

from pathlib import Path
from typing import Any, Final

from infra.local.docstore_file import FILE, StoreFile
from infra.local.ports import HOST

__all__ = ["FILE", "HEAP", "DocStore"]

HEAP: Final = ("-Xms64m", "-XX:MaxRAMPercentage=12.5")
"""At most an eighth of the machine's memory: whoever reads a whole collection has all its documents made at once, each
in ten times its size."""

_VERSION: Final = (7, 0, 0)
_WIRE_VERSION: Final = 17
"""Its own newest says 8, while pymongo from 4.18 on wants 9: it is told to give MongoDB 7.0's."""


class DocStore:
    """The store inside this process's Java runtime.

    Args:
        folder: Its data.
        port: Where it listens.
        java: The ``jpype`` module, its runtime started.
    """

    def __init__(self, folder: Path, port: int, java: Any) -> None:
        self._file = StoreFile(folder, java)
        self._port = port
        self._java = java
        self._server: Any = None

    def start(self) -> None:
        """Serve; returns when the port is open, and after a kill only once the file is in order."""
        java = self._java
        backend = self._file.open()
        backend.version(self._version())
        self._server = java.JClass("de.bwaldvogel.mongo.MongoServer")(backend)
        self._server.bind(HOST, self._port)

    def stop(self) -> None:
        """Close connections and the file."""
        self._server.shutdown()
        self._file.mark_closed()

    def _version(self) -> Any:
        java = self._java
        numbers = java.JClass("java.util.ArrayList")()
        for number in _VERSION:
            numbers.add(java.JClass("java.lang.Integer")(number))

        class Version:
            def getVersionArray(self) -> Any:  # noqa: N802 - Java's name
                return numbers

            def getWireVersion(self) -> int:  # noqa: N802 - Java's name
                return _WIRE_VERSION

            def toVersionString(self) -> str:  # noqa: N802 - Java's name
                return ".".join(map(str, _VERSION))

        return java.JProxy("de.bwaldvogel.mongo.MongoVersion", inst=Version())
