"""Dead letters sent again, or dropped, by people."""

from typing import Literal

from infra.dead_letters import STATES, UNSETTLED, Action, Choice, DeadLetters, Letter
from infra.lease import utc_now
from infra.send_again import send_again
from schemas.http.dead_letter import MOST, LetterChoice, LetterFilter, LetterRefusal, LettersDone
from workers.gateway.parts import Parts


def choice_of(chosen: LetterFilter) -> Choice:
    """A filter as the store is asked for it."""
    return Choice(None, chosen.stage, chosen.error_class, chosen.product_id, chosen.since, chosen.until)


async def chosen(letters: DeadLetters, asked: LetterChoice) -> tuple[list[Letter], bool]:
    """The letters that are meant, the oldest first, and whether there are more than the limit."""
    if asked.event_ids is not None:
        found = letters.find(Choice(event_ids=asked.event_ids), STATES, newest_first=False, limit=MOST)
        return [letter async for letter in found], False
    states = UNSETTLED if asked.again else UNSETTLED[:1]
    choice = choice_of(asked.filter or LetterFilter())
    some = [letter async for letter in letters.find(choice, states, newest_first=False, limit=asked.limit + 1)]
    return some[: asked.limit], len(some) > asked.limit


async def retry(parts: Parts, found: list[Letter], *, by: str, why: str | None) -> LettersDone:
    """Send letters back to the topic they came from, as they came.

    Raises:
        BrokerUnavailable: No broker answers.
        DeliveryFailed: The brokers went away meanwhile; what was sent before is noted.
    """
    letters = DeadLetters(parts.store)

    async def note(sent: list[Letter]) -> None:
        await letters.note(_action("retried", letter, by, why) for letter in sent)

    done = await send_again(parts.settings, letters, [letter.event_id for letter in found], note)
    refused = [LetterRefusal(event_id=one.event_id, why=one.why) for one in done.refused]
    return LettersDone(done=done.sent, refused=refused, more=False)


async def drop(parts: Parts, found: list[Letter], *, by: str, why: str | None) -> LettersDone:
    """Settle letters; nothing is deleted."""
    settled = [letter for letter in found if letter.state in ("dropped", "predicted")]
    open_ = [letter for letter in found if letter.state not in ("dropped", "predicted")]
    await DeadLetters(parts.store).note(_action("dropped", letter, by, why) for letter in open_)
    refused = [LetterRefusal(event_id=one.event_id, why=f"It is {one.state} already.") for one in settled]
    return LettersDone(done=len(open_), refused=refused, more=False)


def unknown(asked: LetterChoice, found: list[Letter]) -> list[LetterRefusal]:
    """The events that were named and have no dead letter."""
    there = {letter.event_id for letter in found}
    names = dict.fromkeys(asked.event_ids or ())
    return [LetterRefusal(event_id=name, why="It has no dead letter.") for name in names if name not in there]


def _action(what: Literal["retried", "dropped"], letter: Letter, by: str, why: str | None) -> Action:
    return Action(letter.event_id, what, by, utc_now(), letter.reason.attempts, why)
