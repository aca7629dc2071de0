"""The files that pages load: styles, scripts, what scripts say, and the parts of Swagger UI."""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from workers.gateway.access import Anyone
from workers.gateway.errors import NotFound
from workers.gateway.pages.texts import LANGUAGES, texts

_OURS: Final = Path(__file__).with_name("static")
_SWAGGER: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER: Final = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@cache
def contents() -> dict[str, bytes]:
    """Every file by its path below ``/static/<digest>/``; small enough to be kept in memory."""
    ours = {
        path.relative_to(_OURS).as_posix(): path.read_bytes()
        for path in sorted(_OURS.rglob("*"))
        if path.suffix in _TYPES
    }
    swagger = files("fastapi_swagger") / "resources"
    words = {f"texts.{language}.js": _module(texts(language)) for language in LANGUAGES}
    return ours | words | {f"swagger/{name}": (swagger / name).read_bytes() for name in _SWAGGER}


def _module(said: object) -> bytes:
    return f"export default {json.dumps(said, ensure_ascii=False)};\n".encode()


@cache
def digest() -> str:
    """Names the state of all files together, as modules import each other by relative paths."""
    sums = [f"{name} {sha256(content).hexdigest()}" for name, content in contents().items()]
    return sha256("\n".join(sums).encode()).hexdigest()[:16]


def address(name: str) -> str:
    """Where a file is.

    Raises:
        KeyError: There is no such file.
    """
    if name not in contents():
        raise KeyError(name)
    return f"/static/{digest()}/{name}"


@router.get("/static/{state}/{name:path}", dependencies=[Anyone])
async def asset(state: str, name: str) -> Response:
    """A file.

    Of another state than this gateway's, which a gateway of another version named, it is given, but not to be kept.
    """
    content = contents().get(name)
    if content is None:
        raise NotFound("There is no such file.")
    kept = _FOREVER if state == digest() else "no-store"
    return Response(content, media_type=_TYPES[name[name.rindex(".") :]], headers={"Cache-Control": kept})
