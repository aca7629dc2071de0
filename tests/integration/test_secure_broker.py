"""A real broker that asks who one is: our clients and apps get in, and are told why where they do not."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from pydantic import SecretStr

from infra.doctor_servers import check_broker
from infra.errors import BrokerRefused
from infra.kafka.app import new_app
from infra.kafka.clients import admin_client, batches, producer_client, reader_client
from infra.kafka.producer import OutRecord
from infra.kafka.security import client_security
from infra.local import kafka
from infra.local.ports import HOST, any_free_port
from infra.local.secrets import LocalSecrets
from infra.local.services import LocalServices
from infra.settings import Settings, load_settings
from tests.ports import settle_ports
from tests.secured import TLS_MAY_BE_CUT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.contract,
    pytest.mark.timeout(240),
    TLS_MAY_BE_CUT,
]

TOPIC: Final = "secure"
UNUSED: Final = SecretStr("mongodb://unused:1")


@dataclass(frozen=True)
class Secure:
    """A running broker: SASL_SSL at one port, TLS with certificates of both sides at another."""

    settings: Settings
    secrets: LocalSecrets
    bootstrap: str
    by_certificate: str

    def asking(self, **more: Any) -> Settings:
        """The settings with others in their place."""
        return self.settings.model_copy(update=more)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """A broker that takes all mechanisms of aisle's, tokens that nobody signed among them."""
    data_dir, other = tmp_path_factory.mktemp("secure"), any_free_port()
    settle_ports(data_dir)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka, "properties", _with_more(other))
        patch.setenv("AISLE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
        patch.setenv("AISLE_DATA_DIR", str(data_dir))
        load_settings.cache_clear()
        settings = Settings(data_dir=data_dir, kafka_bootstrap=None, mongodb_uri=UNUSED)
        with LocalServices(settings) as local:
            bootstrap = local.status()["kafka"].address
            yield Secure(settings, LocalSecrets.ensure(data_dir), bootstrap, f"{HOST}:{other}")
    load_settings.cache_clear()


def _with_more(port: int) -> Any:
    """The local broker's properties, with a mechanism and a listener more: of two lines the last counts."""
    ours = kafka.properties
    module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"

    def properties(*arguments: Any) -> str:
        text = ours(*arguments)
        lines = dict(line.split("=", 1) for line in text.splitlines())
        more = {
            "listeners": f"{lines['listeners']},BOTH://{HOST}:{port}",
            "advertised.listeners": f"{lines['advertised.listeners']},BOTH://{HOST}:{port}",
            "listener.security.protocol.map": f"{lines['listener.security.protocol.map']},BOTH:SSL",
            "listener.name.both.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": f"{lines['sasl.enabled.mechanisms']},OAUTHBEARER",
            "listener.name.broker.oauthbearer.sasl.jaas.config": f"{module} required;",
        }
        return text + "".join(f"{name}={value}\n" for name, value in more.items())

    return properties


async def test_records_go_there_and_back_by_our_clients_and_an_app(secure: Secure) -> None:
    """A topic is made, an app in a group answers on it what a producer sends, and a reader sees both."""
    topic, answers = f"in-{uuid4().hex}", f"out-{uuid4().hex}"
    await make_topics(secure, topic, answers)
    app = new_app(f"group-{topic}", secure.settings, secure.bootstrap)

    @app.agent(app.topic(topic))
    async def answer(stream: Any) -> None:
        async for event in stream.noack().events():
            await app.batch_producer.deliver(answers, [OutRecord(0, one.key, one.value) for one in event.value])
            event.ack()

    await app.start()
    try:
        async with producer_client(secure.bootstrap) as producer:
            await producer.send_and_wait(topic, b"hello", key=b"k")
        assert [b"hello"] == await read(secure.bootstrap, answers, 1)
    finally:
        await app.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_each_mechanism_lets_us_in_by_a_password(secure: Secure, mechanism: str) -> None:
    """With the user, the password's file and the certificate that are named."""
    secrets = secure.secrets
    named = secure.asking(
        kafka_sasl_mechanism=mechanism,
        kafka_bootstrap=secure.bootstrap,
        kafka_user=secrets.user,
        kafka_password_file=secrets.password_file,
        kafka_ca_file=secrets.ca,
    )
    async with admin_client(secure.bootstrap, client_security(named)) as admin:
        assert isinstance(await admin.list_topics(), list)


async def test_a_token_of_a_file_lets_us_in(secure: Secure, tmp_path: Path) -> None:
    """OAUTHBEARER, by a broker that believes tokens; one that is over is refused by name."""
    path = tmp_path / "token"
    named = secure.asking(kafka_sasl_mechanism="OAUTHBEARER", kafka_token_file=path)
    path.write_text(unsigned_token(good_s=60) + "\n")
    async with admin_client(secure.bootstrap, client_security(named)) as admin:
        assert isinstance(await admin.list_topics(), list)
    path.write_text(unsigned_token(good_s=-60))
    assert "does not accept our token" in await refusal(secure.bootstrap, named)


async def test_a_certificate_of_ours_lets_us_in_where_one_is_asked_for(secure: Secure) -> None:
    """TLS by both sides; without a certificate the broker's wish is told."""
    named = secure.asking(kafka_security_protocol="SSL", kafka_certificate_file=secure.secrets.server)
    async with admin_client(secure.by_certificate, client_security(named)) as admin:
        assert isinstance(await admin.list_topics(), list)
    without = secure.asking(kafka_security_protocol="SSL")
    assert "AISLE_KAFKA_CERTIFICATE_FILE" in await refusal(secure.by_certificate, without)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kafka_user": "aisle", "kafka_password": SecretStr("hunter2")}, "does not accept the user aisle"),
        ({"kafka_user": "eve", "kafka_password": SecretStr("hunter2")}, "does not accept the user eve"),
        ({"kafka_ca_file": Path(__file__).parents[1] / "data" / "another_ca.pem"}, "AISLE_KAFKA_CA_FILE"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "speaks TLS"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT"}, "speaks TLS"),
        ({"kafka_security_protocol": "SSL"}, "wants to know who asks"),
    ],
)
async def test_who_is_not_let_in_is_told_why(secure: Secure, changed: dict[str, Any], said: str) -> None:
    """In one line with what to set, never with the password; `aisle doctor` says the same."""
    named = secure.asking(**changed)

    told = await refusal(secure.bootstrap, named)
    finding = await asyncio.to_thread(check_broker, named)

    assert said in told
    assert "fail" == finding.status
    assert told == f"{finding.detail} {finding.hint}"
    assert "hunter2" not in told + repr(client_security(named))


async def refusal(bootstrap: str, settings: Settings) -> str:
    """What one is told who is not let in."""
    with pytest.raises(BrokerRefused) as caught:
        async with admin_client(bootstrap, client_security(settings)):
            pass
    return str(caught.value)


async def make_topics(secure: Secure, *names: str) -> None:
    """Make topics of one partition."""
    from aiokafka.admin import NewTopic

    async with admin_client(secure.bootstrap) as admin:
        await admin.create_topics([NewTopic(name, 1, 1) for name in names])


async def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """The values of a topic's first records."""
    values: list[bytes | None] = []
    async with asyncio.timeout(30), reader_client(bootstrap, topic, from_start=True) as reader:
        async for some in batches(reader):
            values += [one.value for one in some]
            if len(values) >= count:
                return values
    raise AssertionError("unreachable")


def unsigned_token(good_s: float) -> str:
    """A JWT that nobody signed (RFC 7519, 6)."""
    now = time.time()
    parts = {"alg": "none"}, {"sub": "aisle", "iat": now - 120, "exp": now + good_s}
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."
