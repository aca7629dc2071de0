"""What the demo leaves running for whoever tries it."""

import asyncio
import socket
from pathlib import Path

from infra.settings import Settings
from infra.supervisor import ProcessEvent
from scripts.demo import _on_a_free_port
from scripts.demo_narrator import Narrator


def test_a_port_that_is_taken_keeps_nobody_from_the_pages(tmp_path: Path) -> None:
    """The gateway gets another one then; else it has its own."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        settings = Settings(data_dir=tmp_path, gateway_port=taken)
        assert _on_a_free_port(settings).gateway_port not in {0, taken}
    assert taken == _on_a_free_port(settings).gateway_port


async def test_the_pages_are_named_once_they_are_served() -> None:
    """Ready is the kind of process that is waited for, whatever its number, and no other."""
    narrator = Narrator()
    narrator(ProcessEvent("gateway", "starting"))
    narrator(ProcessEvent("classify-2", "ready"))
    async with asyncio.timeout(5):
        await narrator.ready("classify")
    waiting = asyncio.create_task(narrator.ready("gateway"))
    await asyncio.sleep(0)
    assert not waiting.done()
    narrator(ProcessEvent("gateway", "ready"))
    async with asyncio.timeout(5):
        await waiting
