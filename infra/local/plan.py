"""What to run for each local service, on which ports, with which data."""

import shutil
from pathlib import Path
from typing import Final

from infra.local import docstore, jars, kafka
from infra.local.ports import HOST, choose_ports
from infra.local.probe import kafka_answers, store_answers
from infra.local.state import SERVICES, ServiceName
from infra.process import Launch, module
from infra.settings import Settings

KAFKA_PORT: Final = 9092
MONGODB_PORT: Final = 27017


def needed(settings: Settings) -> tuple[ServiceName, ...]:
    """The services that the settings do not name servers for."""
    named = {"kafka": settings.kafka_bootstrap, "docstore": settings.mongodb_uri or settings.mongodb_uri_file}
    return tuple(name for name in SERVICES if not named[name])


def fetch_step(settings: Settings, names: tuple[ServiceName, ...]) -> Launch | None:
    """The command that brings the jars that these services miss, or None when nothing is missing."""
    folder = jars.jar_dir(settings.data_dir.resolve())
    java = [name for name in names if name == "kafka" or mongod(settings) is None]
    if not any(jars.missing(name, folder) for name in java):
        return None
    return Launch(module("infra.local.jars", str(folder), *java))


def launch(settings: Settings, name: ServiceName) -> Launch:
    """How to start a service now; ports are chosen anew at each call, the former ones if they are free."""
    data_dir = settings.data_dir.resolve()
    log = data_dir / "logs" / f"{name}.log"
    jar_folder = str(jars.jar_dir(data_dir))
    if name == "kafka":
        folder = data_dir / "kafka"
        ports = choose_ports(folder, {"broker": KAFKA_PORT, "controller": KAFKA_PORT + 1})
        kafka.write_properties(folder, ports, settings.kafka_security_protocol)
        argv = module("infra.local.jvm", "kafka", str(folder), jar_folder)
        return Launch(argv, log=log, address=f"{HOST}:{ports['broker']}", ports=ports, kind="kafka")
    program = mongod(settings)
    folder = data_dir / ("mongod" if program else "docstore")
    ports = choose_ports(folder, {"store": MONGODB_PORT})
    uri = f"mongodb://{HOST}:{ports['store']}/?directConnection=true"
    if program is None:
        argv = module("infra.local.jvm", "docstore", str(folder), jar_folder, str(ports["store"]))
        return Launch(argv, log=log, address=uri, ports=ports, kind="embedded")
    options = ("--dbpath", str(folder), "--bind_ip", HOST, "--port", str(ports["store"]), "--nounixsocket")
    return Launch(module("infra.lifeline", program, *options), log=log, address=uri, ports=ports, kind="mongod")


def mongod(settings: Settings) -> str | None:
    """The mongod to run, or None for the embedded store, which is kept where it holds data already."""
    embedded = settings.data_dir / "docstore" / docstore.FILE
    real: Path = settings.data_dir / "mongod"
    return None if embedded.exists() and not real.exists() else shutil.which("mongod")


def answers(settings: Settings, name: ServiceName, plan: Launch) -> bool:
    """Whether a started service does its work; takes up to a few seconds."""
    if name == "kafka":
        from infra.kafka.security import client_security  # aiokafka, which most commands do without

        return kafka_answers(plan.address, client_security(settings))
    return store_answers(f"{HOST}:{plan.ports['store']}", plan.address)
