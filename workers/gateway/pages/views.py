"""From a template to a page."""

from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from schemas.errors import AisleError
from workers.gateway.access import Principal
from workers.gateway.pages.assets import address
from workers.gateway.pages.menu import menu_of
from workers.gateway.pages.texts import COOKIE, LANGUAGES, chosen, text
from workers.gateway.problems import status_of

THEME_COOKIE: Final = "aisle_theme"
_YEAR_S: Final = 365 * 24 * 3600


@cache
def _templates() -> Environment:
    folder = Path(__file__).with_name("templates")
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page.

    Args:
        request: That asks for it.
        template: Its name, without the ending.
        status: The HTTP status.
        values: What the template needs beside what all need.
    """
    language = chosen(request)
    who: Principal | None = getattr(request.state, "principal", None)
    theme = request.cookies.get(THEME_COOKIE)
    context = {
        "asset": address,
        "menu": menu_of(who),
        "language": language,
        "languages": [(code, _here(request, code)) for code in LANGUAGES],
        "page": template.replace("-", "_"),
        "path": request.url.path,
        "request_id": request.state.request_id,
        "t": lambda key, **given: text(language, key, **given),
        "theme": theme if theme in {"light", "dark"} else "",
        "who": who,
    }
    answer = HTMLResponse(_templates().get_template(f"{template}.html").render(context | values), status)
    answer.headers["Vary"] = "Cookie, Accept-Language"
    if request.query_params.get("lang") == language:
        answer.set_cookie(COOKIE, language, max_age=_YEAR_S, samesite="lax", httponly=True)
    return answer


def failure(request: Request, error: AisleError) -> Response:
    """A page that says why another one is not shown."""
    status = status_of(error)
    kind = "away" if status >= 500 else "forbidden" if status == 403 else "missing" if status == 404 else "refused"
    return show(request, "failure", status=status, kind=kind, error=error)


def _here(request: Request, language: str) -> str:
    """This page in a language."""
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return "?" + urlencode([*query, ("lang", language)])
