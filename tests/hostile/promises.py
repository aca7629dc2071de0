"""What every answer keeps, whatever was asked."""

import json
from typing import Final

from schemas.http.account import Role
from tests.hostile.caller import Answer, Outcome
from tests.hostile.payloads import SCRIPTS
from tests.hostile.request import Request, Site
from tests.hostile.seeds import MARK, OUTSIDE

_STAFF: Final = frozenset({Role.REVIEWER, Role.ADMIN})
_MARKUP: Final = tuple(text.encode() for text in SCRIPTS if text.startswith("<"))
_NEVER: Final = (
    OUTSIDE.encode(),
    b"$argon2",
    b"root:x:0",
    b"Traceback (most recent call last)",
    b"AISLE_DATA_DIR=",
)
_JSON: Final = frozenset({b"application/json", b"application/problem+json"})
_OURS: Final = b"x-request-id"
_FAILED: Final = 500
_REFUSED: Final = 400


def broken(request: Request, outcome: Outcome, site: Site) -> list[str]:
    """The promises that an outcome breaks, in words; none of them is what is hoped for."""
    found = []
    if outcome.end == "hung":
        found.append("the connection hung")
    if outcome.broken is not None:
        found.append(f"no answer in HTTP: {outcome.broken[:80]!r}")
    if not outcome.answers and outcome.end == "closed" and request.allowed is not None and not _may_be_silent(request):
        found.append("no answer at all")
    for number, answer in enumerate(outcome.answers):
        found += _of_answer(request, answer, site)
        if request.allowed is not None and number == 0 and answer.status not in request.allowed:
            found.append(f"answered {answer.status}, not one of {sorted(request.allowed)}")
    return found


def _may_be_silent(request: Request) -> bool:
    """Whoever sent no whole head, or hung up, has no right to an answer."""
    return b"\r\n\r\n" not in b"".join(request.parts) or request.patience_s is not None


def _of_answer(request: Request, answer: Answer, site: Site) -> list[str]:
    found = []
    if answer.status >= _FAILED:
        found.append(f"answered {answer.status}")
    found += [f"has {mark[:30]!r}" for mark in (*_NEVER, site.secret) if mark in answer.body]
    if request.role not in _STAFF and MARK.encode() in answer.body:
        found.append("shows what is another's")
    if any(name == b"x-injected" or b"injected" in value for name, value in answer.headers if name != b"location"):
        found.append("has a header of the caller's making")
    if answer.header(b"access-control-allow-origin") is not None:
        found.append("lets pages of other sites read it")
    place = answer.header(b"location") or b"/"
    if not place.startswith(b"/") or place[1:2] in (b"/", b"\\"):
        found.append("leads elsewhere")
    if answer.header(_OURS) is not None:
        found += _of_form(request, answer)
    return found


def _of_form(request: Request, answer: Answer) -> list[str]:
    """What the headers of the application's own answers say, and whether their bodies agree."""
    found = []
    kind = (answer.header(b"content-type") or b"").partition(b";")[0]
    if answer.header(b"x-content-type-options") != b"nosniff" or answer.header(b"content-security-policy") is None:
        found.append("has no headers of ours")
    if kind == b"text/html" and any(text in answer.body for text in _MARKUP):
        found.append("is a page with script in it")
    if kind in _JSON and not request.is_head:
        try:
            json.loads(answer.body)
        except ValueError:
            found.append("says that it is JSON and is not")
    if answer.status >= _REFUSED and not request.is_head and kind not in (b"application/problem+json", b"text/html"):
        found.append(f"refuses in {kind!r}")
    return found
