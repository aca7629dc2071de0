"""The alert webhook: who sends is shown, it tries again where that helps, and keeps its key to itself."""

import base64
import hmac
import stat
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from infra import webhook
from infra.errors import DeliveryFailed, SettingsInvalid
from infra.settings import Settings, load_settings
from infra.webhook import SECRET_FILE, Webhook, kept_secret, key_of, signed


@dataclass
class Receiver:
    """A server that gives the next of its answers to each request, the last one again and again."""

    answers: Sequence[int] = (200,)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        """Keep a request."""
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        status = self.answers[min(len(self.requests), len(self.answers)) - 1]
        return web.Response(status=status, headers={"location": "/elsewhere"} if status == 302 else None)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that listens on the loopback address."""
    own = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", own.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    own.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield own
    await runner.cleanup()


@pytest.fixture
def waits() -> list[float]:
    """The pauses that were asked for."""
    return []


def sender(receiver: Receiver, waits: list[float]) -> Webhook:
    """A webhook whose pauses take no time."""

    async def sleep(pause_s: float) -> None:
        waits.append(pause_s)

    return Webhook(receiver.url, b"key", sleep)


async def test_a_message_is_signed_over_id_time_and_body(receiver: Receiver, waits: list[float]) -> None:
    """As Standard Webhooks has it: who knows the key can tell that we sent it, when, and that nothing was changed."""
    await sender(receiver, waits).post("drift-1", {"alert": True})
    ((headers, body),) = receiver.requests
    assert b'{"alert":true}' == body
    signature = hmac.new(b"key", b"drift-1." + headers["webhook-timestamp"].encode() + b"." + body, sha256).digest()
    assert f"v1,{base64.b64encode(signature).decode()}" == headers["webhook-signature"]
    assert "drift-1" == headers["webhook-id"]
    assert abs(datetime.now(UTC).timestamp() - int(headers["webhook-timestamp"])) < 60
    assert [] == waits


async def test_it_tries_again_under_the_same_id(receiver: Receiver, waits: list[float]) -> None:
    """So that a receiver that did take it, and could not say so, knows it again."""
    receiver.answers = (503, 429, 204)
    await sender(receiver, waits).post("drift-1", {})
    assert ["drift-1"] * 3 == [headers["webhook-id"] for headers, _ in receiver.requests]
    assert [*webhook.PAUSES_S[:2]] == waits


async def test_it_gives_up_after_the_last_pause(receiver: Receiver, waits: list[float]) -> None:
    """A server that is away for long is tried again with the next check."""
    receiver.answers = (500,)
    with pytest.raises(DeliveryFailed, match="status 500"):
        await sender(receiver, waits).post("drift-1", {})
    assert [*webhook.PAUSES_S] == waits


@pytest.mark.parametrize("status", [302, 400, 401, 404])
async def test_a_refusal_is_a_last_word(receiver: Receiver, waits: list[float], status: int) -> None:
    """To ask again changes nothing, and a redirection is not followed: the message is for one server."""
    receiver.answers = (status,)
    with pytest.raises(DeliveryFailed, match=f"status {status}"):
        await sender(receiver, waits).post("drift-1", {})
    assert 1 == len(receiver.requests)


async def test_a_server_that_is_away_is_named_without_its_address(waits: list[float]) -> None:
    """The address may hold a token."""
    away = Receiver(url="http://127.0.0.1:9/token-of-ours")
    with pytest.raises(DeliveryFailed) as caught:
        await sender(away, waits).post("drift-1", {})
    assert "token-of-ours" not in str(caught.value)
    assert [*webhook.PAUSES_S] == waits


def test_the_signature_is_that_of_the_specification() -> None:
    """The example that its reference libraries test themselves with."""
    headers = signed(
        key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == headers["webhook-signature"]


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """The next start signs with the same one."""
    path = tmp_path / SECRET_FILE
    made = kept_secret(path)
    assert made == kept_secret(path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 32 == len(key_of(made))
    assert [path.name] == [file.name for file in path.parent.iterdir()]


def test_a_key_that_is_no_base64_is_refused() -> None:
    """A key that was cut in copying would sign what nobody can verify."""
    with pytest.raises(SettingsInvalid):
        key_of("whsec_abc")


def test_without_an_address_there_is_no_webhook_and_no_key(tmp_path: Path) -> None:
    """Nothing is made that nobody needs."""
    assert Webhook.of(Settings(data_dir=tmp_path)) is None
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["http://example.org/hook", "ftp://127.0.0.1/", "https://", "file:///etc/passwd"])
def test_only_https_or_this_machine(url: str) -> None:
    """What is watched is nobody else's business on the way."""
    with pytest.raises(ValidationError):
        Settings(alert_webhook=url)


@pytest.mark.parametrize("url", ["https://example.org/hook", "http://127.0.0.1:8080/", "http://[::1]/x"])
def test_addresses_that_are_taken(url: str) -> None:
    """A server on this machine may do without TLS."""
    given = Settings(alert_webhook=url).alert_webhook
    assert given is not None
    assert url == given.get_secret_value()
    assert url not in repr(given)


@pytest.mark.parametrize("secret", ["fifteen-letters", "whsec_", "whsec_MfKQ9r8GKYq="])
def test_a_key_that_can_be_guessed_is_refused(
    secret: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Whoever has seen one message could try them all; the setting is named, and not what it says."""
    monkeypatch.setenv("AISLE_ALERT_SECRET", secret)
    request.addfinalizer(load_settings.cache_clear)
    load_settings.cache_clear()
    with pytest.raises(SettingsInvalid, match=r"AISLE_ALERT_SECRET.* 16 characters at least") as caught:
        load_settings()
    assert "fifteen" not in str(caught.value)


def test_a_key_of_sixteen_characters_is_taken() -> None:
    """Be it the specification's form or a text."""
    for secret in ("sixteen-letters!", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"):
        given = Settings(alert_secret=secret).alert_secret
        assert given is not None
        assert secret == given.get_secret_value()
