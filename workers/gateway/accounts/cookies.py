"""The cookie of a session, and from whose pages it may be used."""

from typing import Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from infra.settings import Settings
from workers.gateway.errors import CrossSite

COOKIE: Final = "aisle_session"
DEVICE: Final = "aisle_device"

_DEVICE_S: Final = 365 * 86_400
_USUAL_PORTS: Final = frozenset({80, 443})


def set_cookie(response: Response, request: Request, settings: Settings, secret: str) -> None:
    """Give the browser a session's secret, which no script can read."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=round(settings.gateway_session_days * 86_400),
        path="/",
        secure=_is_https(request, settings),
        httponly=True,
        samesite="lax",
    )


def set_device(response: Response, request: Request, settings: Settings, device: str) -> None:
    """Let the browser be known where a password is tried; it opens nothing."""
    response.set_cookie(
        DEVICE,
        device,
        max_age=_DEVICE_S,
        path="/api/v1/auth",
        secure=_is_https(request, settings),
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response, request: Request, settings: Settings) -> None:
    """Take it back."""
    response.delete_cookie(COOKIE, path="/", secure=_is_https(request, settings), httponly=True, samesite="lax")


async def refuse_other_sites(request: Request) -> None:
    """Return if the request is not made by a page of another site.

    Raises:
        CrossSite: It is.
    """
    settings: Settings = request.app.state.parts.settings
    origin = request.headers.get("origin")
    ours = {_place(f"{request.url.scheme}://{request.headers.get('host', '')}"), _place(settings.gateway_url or "")}
    foreign = origin is not None and (_place(origin) is None or _place(origin) not in ours)
    if foreign or request.headers.get("sec-fetch-site") == "cross-site":
        raise CrossSite("This is for the gateway's own pages.")


OwnPages = Depends(refuse_other_sites)
"""For routes that read the cookie."""


def _is_https(request: Request, settings: Settings) -> bool:
    return request.url.scheme == "https" or (settings.gateway_url or "").startswith("https://")


def _place(origin: str) -> tuple[str, int | None] | None:
    """Host and port; the scheme is the proxy's affair, which may speak http to us, and so are the usual ports."""
    try:
        parts = urlsplit(origin)
        port = None if parts.port in _USUAL_PORTS else parts.port
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None
