"""What ``aisle dlq retry`` shows meanwhile."""

from collections.abc import Awaitable, Callable, Sequence

from infra.dead_letters import DeadLetters, Letter
from infra.retry import Retried
from infra.send_again import send_again
from infra.settings import load_settings
from scripts.progress import progress_bar


async def send_and_show(
    letters: DeadLetters, event_ids: Sequence[str], note: Callable[[list[Letter]], Awaitable[None]], *, dry_run: bool
) -> Retried:
    """Retry the letters of these events, with a progress bar; see `infra.send_again`."""
    with progress_bar("retrying", len(event_ids)) as told:
        settings = load_settings()
        return await send_again(settings, letters, event_ids, note, told=lambda now: told(now.done), dry_run=dry_run)
