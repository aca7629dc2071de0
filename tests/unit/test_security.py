"""What clients are made with, from the settings: one place, no secret shown, and every mistake named."""

import json
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from click.testing import CliRunner
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from infra.errors import SettingsInvalid
from infra.kafka import tokens
from infra.kafka.app import new_app
from infra.kafka.security import client_security
from infra.kafka.tokens import FileToken, UrlToken
from infra.local.secrets import LocalSecrets
from infra.settings import Settings, load_settings
from infra.store_address import named_store
from scripts.config import command

WORD = "hunter2"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> LocalSecrets:
    """Those that a local broker makes."""
    return LocalSecrets.ensure(tmp_path_factory.mktemp("data"))


def settings(**given: Any) -> Settings:
    """Settings of a broker somewhere else, by SASL_SSL unless said otherwise."""
    return Settings.model_validate({"kafka_bootstrap": "k:1", "kafka_security_protocol": "SASL_SSL"} | given)


def test_without_settings_nothing_is_proved() -> None:
    """The default is a plain connection, with no argument more."""
    given = client_security(Settings(_env_file=None, kafka_security_protocol="PLAINTEXT"))

    assert {"security_protocol": "PLAINTEXT"} == given.arguments()


@pytest.mark.parametrize("protocol", ["SSL", "SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_faust_gets_what_other_clients_get(
    protocol: str, mechanism: str, secrets: LocalSecrets, tmp_path: Path
) -> None:
    """Its driver makes the same arguments of an app's credentials as our clients are made with."""
    named = settings(
        kafka_security_protocol=protocol,
        kafka_sasl_mechanism=mechanism,
        kafka_user="me",
        kafka_password=WORD,
        kafka_ca_file=secrets.ca if "SSL" in protocol.split("_") else None,
        kafka_token_file=tmp_path / "token" if mechanism == "OAUTHBEARER" else None,
    )
    ours = client_security(named).arguments()
    fausts = credentials_to_aiokafka_auth(new_app("test", named, "k:1").conf.broker_credentials)

    assert set(ours) == {name for name, value in fausts.items() if value is not None}
    for name in ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password"):
        assert ours.get(name) == fausts.get(name)
    assert ("ssl_context" in ours) == ("SSL" in protocol.split("_"))


def test_brokers_are_held_to_their_certificates(secrets: LocalSecrets) -> None:
    """By name and by who signed them, and by no TLS older than 1.2."""
    context = client_security(settings(kafka_security_protocol="SSL", kafka_ca_file=secrets.ca)).context

    assert context is not None
    assert (True, ssl.CERT_REQUIRED) == (context.check_hostname, context.verify_mode)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_password_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    """A new one in the file is used by whatever connects from then on; the end of its line is no part of it."""
    path = tmp_path / "password"
    named = settings(kafka_user="me", kafka_password_file=path)
    for word in ("one", "two "):
        path.write_text(f"{word}\n")
        assert word == client_security(named).password


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_user": "me"}, "takes a user and a password"),
        ({"kafka_user": "me", "kafka_password_file": "nowhere"}, "AISLE_KAFKA_PASSWORD_FILE names nowhere"),
        ({"kafka_password": WORD, "kafka_password_file": "nowhere"}, "are both set"),
        ({"kafka_ca_file": "nowhere"}, "AISLE_KAFKA_CA_FILE names nowhere"),
        ({"kafka_ca_file": __file__}, "AISLE_KAFKA_CA_FILE"),
        ({"kafka_certificate_file": "nowhere"}, "AISLE_KAFKA_CERTIFICATE_FILE names nowhere"),
        ({"kafka_key_file": "nowhere"}, "without AISLE_KAFKA_CERTIFICATE_FILE"),
        ({"kafka_sasl_mechanism": "OAUTHBEARER"}, "AISLE_KAFKA_TOKEN_FILE"),
        ({"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_token_url": "https://id"}, "takes a user and a password"),
        ({"kafka_security_protocol": "PLAINTEXT", "kafka_password": WORD}, "PLAINTEXT, which uses none"),
        ({"kafka_security_protocol": "PLAINTEXT", "kafka_ca_file": "ca"}, "PLAINTEXT, which uses none"),
        (
            {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_password": WORD, "kafka_ca_file": "ca"},
            "KAFKA_CA_FILE is set, .* is SASL_PLAINTEXT, which uses none",
        ),
    ],
)
def test_what_cannot_work_is_said_by_name(given: dict[str, Any], said: str) -> None:
    """Before anything connects, and without the secret."""
    with pytest.raises(SettingsInvalid, match=said) as caught:
        client_security(settings(**given))

    assert WORD not in str(caught.value)


def test_a_key_with_a_password_asks_nobody(tmp_path: Path) -> None:
    """OpenSSL would wait for somebody at the terminal."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    locked = serialization.BestAvailableEncryption(b"x")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    certificate = LocalSecrets.ensure(tmp_path).server.read_bytes().partition(b"-----BEGIN CERT")
    (tmp_path / "shown").write_bytes(pem + certificate[1] + certificate[2])

    with pytest.raises(SettingsInvalid, match="is encrypted"):
        client_security(settings(kafka_security_protocol="SSL", kafka_certificate_file=tmp_path / "shown"))


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by `aisle config` in any form nor by what clients are made with."""
    monkeypatch.setenv("AISLE_KAFKA_PASSWORD", WORD)
    monkeypatch.setenv("AISLE_MONGODB_PASSWORD", WORD)
    load_settings.cache_clear()
    try:
        for options in ([], ["--json"], ["--table"]):
            assert WORD not in CliRunner().invoke(command, options).output
    finally:
        load_settings.cache_clear()
    assert WORD not in repr(client_security(settings(kafka_user="me", kafka_password=WORD)))


def test_the_local_brokers_secrets_are_its_own(secrets: LocalSecrets, tmp_path: Path) -> None:
    """Readable by nobody else, other ones for each data directory, kept over starts, and used without settings."""
    other = LocalSecrets.ensure(tmp_path)
    files = [other.ca, other.server, other.password_file]

    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}
    assert 0o700 == stat.S_IMODE(other.folder.stat().st_mode)
    assert other.password != secrets.password
    assert other.password == LocalSecrets.ensure(tmp_path).password
    used = client_security(settings(kafka_bootstrap=None, data_dir=tmp_path))
    assert (other.user, other.password) == (used.user, used.password)
    named = settings(kafka_bootstrap="k:1", data_dir=tmp_path)
    with pytest.raises(SettingsInvalid, match="takes a user"):  # they are for no other broker
        client_security(named)


async def test_a_token_in_a_file_is_the_one_of_now(tmp_path: Path) -> None:
    """Another program renews it; one that is missing for a moment is a connection that failed."""
    token = FileToken(tmp_path / "token")
    with pytest.raises(KafkaConnectionError, match="AISLE_KAFKA_TOKEN_FILE"):
        await token.token()
    for text in ("first", "second"):
        token.path.write_text(text)
        assert text == await token.token()


async def test_a_token_of_a_url_is_kept_until_most_of_its_life_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for by client credentials, once for all clients, and again in time."""
    now = 1_000.0
    monkeypatch.setattr(tokens, "monotonic", lambda: now)
    with token_server(200) as (url, asked):
        token = UrlToken.of(url, "me", WORD, "kafka")
        assert ["t1", "t1"] == [await token.token(), await UrlToken.of(url, "me", WORD, "kafka").token()]
        now += 79
        assert "t1" == await token.token()
        now += 1
        assert "t2" == await token.token()
    assert ["grant_type=client_credentials&scope=kafka"] * 2 == asked
    assert WORD not in repr(token)


async def test_a_url_that_gives_no_token_is_named_without_the_secret() -> None:
    """By its status, or by why it does not answer."""
    with token_server(401) as (url, _), pytest.raises(KafkaConnectionError, match="it answers 401") as caught:
        await UrlToken(url, "me", WORD).token()
    assert WORD not in str(caught.value)
    with pytest.raises(KafkaConnectionError, match="AISLE_KAFKA_TOKEN_URL gives no token"):
        await UrlToken(url, "me", WORD).token()


async def test_the_secret_is_not_taken_along_to_another_place() -> None:
    """Who answers with a redirection gives no token: nobody is asked where it leads, least of all with the secret."""
    with token_server(302) as (url, asked), pytest.raises(KafkaConnectionError, match="it answers 302"):
        await UrlToken(url, "me", WORD).token()
    assert ["grant_type=client_credentials"] == asked


@pytest.mark.parametrize("url", ["http://id.example/token", "ftp://id", "id.example"])
def test_a_secret_goes_to_no_url_in_the_clear(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Only by https, or within this machine."""
    monkeypatch.setenv("AISLE_KAFKA_TOKEN_URL", url)
    load_settings.cache_clear()
    try:
        with pytest.raises(SettingsInvalid, match="AISLE_KAFKA_TOKEN_URL"):
            load_settings()
    finally:
        load_settings.cache_clear()


@pytest.mark.parametrize(
    ("uri", "whole"),
    [
        ("mongodb://h:1", "mongodb://me:p%40ss%2F@h:1/?tls=true"),
        ("mongodb://h:1/db", "mongodb://me:p%40ss%2F@h:1/db?tls=true"),
        ("mongodb://h:1,g:2/?w=1", "mongodb://me:p%40ss%2F@h:1,g:2/?w=1&tls=true"),
        ("mongodb+srv://h/?tls=true", "mongodb+srv://me:p%40ss%2F@h/?tls=true"),
    ],
)
def test_the_stores_address_gets_user_and_tls(uri: str, whole: str, tmp_path: Path) -> None:
    """From settings and files, quoted as a URI wants it, and TLS not twice."""
    (tmp_path / "uri").write_text(uri + "\n")
    (tmp_path / "password").write_text("p@ss/\n")
    named = Settings(
        mongodb_uri_file=tmp_path / "uri",
        mongodb_user="me",
        mongodb_password_file=tmp_path / "password",
        mongodb_tls=True,
    )

    assert whole == named_store(named)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mongodb_uri": "mongodb://h", "mongodb_uri_file": "nowhere"}, "are both set"),
        ({"mongodb_uri_file": __file__}, "several lines"),
        ({"mongodb_uri": "mongodb://h", "mongodb_user": "me"}, "go together"),
        ({"mongodb_uri": "mongodb://a:b@h", "mongodb_user": "me", "mongodb_password": WORD}, "names a user too"),
        ({"mongodb_uri": "mongodb://h", "mongodb_ca_file": "nowhere"}, "AISLE_MONGODB_CA_FILE names nowhere"),
        ({"mongodb_uri": "mongodb://h", "mongodb_certificate_file": "nowhere"}, "AISLE_MONGODB_CERTIFICATE_FILE"),
    ],
)
def test_a_store_that_is_half_named_is_refused(given: dict[str, Any], said: str) -> None:
    """By the setting to mend, and without the secret."""
    with pytest.raises(SettingsInvalid, match=said) as caught:
        named_store(Settings.model_validate(given))

    assert WORD not in str(caught.value)


@contextmanager
def token_server(status: int) -> Iterator[tuple[str, list[str]]]:
    """A token URL that gives t1, t2 and so on, good for 100 s each; what it was asked."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Authorization"] == "Basic bWU6aHVudGVyMg=="
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps({"access_token": f"t{len(asked)}", "expires_in": 100}).encode())

        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
