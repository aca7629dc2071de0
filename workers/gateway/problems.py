"""From errors to problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from math import ceil
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import compile_path

from infra.errors import (
    BrokerUnavailable,
    DeliveryFailed,
    DocumentRefused,
    PhotoMissing,
    PhotoOversize,
    PhotoRefused,
    PhotoUnavailable,
    StoreRefused,
    StoreUnavailable,
    TopicMissing,
)
from infra.logging import get_logger
from model.errors import PhotoInvalid
from schemas.errors import AisleError
from schemas.http.problem import MEDIA_TYPE, FieldProblem, Problem
from workers.gateway.errors import RequestRefused, TooMany

RETRY_AFTER_S: Final = 2

_STATUS: Final[Mapping[type[AisleError], HTTPStatus]] = {
    BrokerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DeliveryFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreRefused: HTTPStatus.SERVICE_UNAVAILABLE,
    TopicMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    PhotoUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    PhotoMissing: HTTPStatus.NOT_FOUND,
    PhotoOversize: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    PhotoRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    PhotoInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    DocumentRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
}
_MOST_ERRORS: Final = 100
_CODES: Final = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.BAD_REQUEST: "bad-request",
}

logger = get_logger(__name__)

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, text in {
        400: "The request cannot be read.",
        401: "Nobody knows who asks.",
        403: "Who asks may not do this.",
        404: "There is no such thing, or it is not the caller's.",
        408: "The body did not come in time.",
        409: "It does not fit what is there now.",
        413: "The body is too long.",
        422: "The request says what cannot be.",
        429: "The caller asks too often.",
        503: "What the answer needs is away; try again.",
    }.items()
}
"""What any route may answer beside its own; given to each router."""


def install(app: FastAPI) -> None:
    """Answer every error of a request with a problem."""
    app.add_exception_handler(AisleError, _aisle_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failed)


def status_of(error: AisleError) -> int:
    """The HTTP status that tells of an error."""
    if isinstance(error, RequestRefused):
        return error.status
    kind = next((kind for kind in type(error).__mro__ if kind in _STATUS), None)
    if kind is not None:
        return _STATUS[kind]
    # What a person asked for in good form and aisle refuses: a rollback without a former version, say.
    return HTTPStatus.SERVICE_UNAVAILABLE if error.retryable else HTTPStatus.CONFLICT


def problem(request_id: str, status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """A problem as a response.

    Args:
        request_id: Of the request.
        status: The HTTP status.
        code: A stable name of this kind of problem.
        detail: What went wrong, for people.
        more: Further fields of `Problem`.
    """
    kind, title = f"urn:aisle:problem:{code}", HTTPStatus(status).phrase
    fields = {"retryable": False} | more
    content = Problem(type=kind, title=title, status=status, detail=detail, request_id=request_id, **fields)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if content.retryable else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(content.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def problem_of(request_id: str, error: AisleError) -> JSONResponse:
    """An error of ours as a response."""
    more = {"hint": error.hint or None, "retryable": error.retryable}
    answer = problem(request_id, status_of(error), error.code, error.message, **more)
    if isinstance(error, TooMany) and error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(ceil(error.retry_after_s))
    return answer


async def _aisle_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AisleError)  # noqa: S101 - that is what it is registered for
    answer = problem_of(request.state.request_id, error)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("request not done", path=request.url.path, error=error.code, why=error.message)
    return answer


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - likewise
    errors = [
        FieldProblem(where=".".join(map(str, one["loc"])), message=one["msg"].removeprefix("Value error, "))
        for one in islice(error.errors(), _MOST_ERRORS)
    ]
    first = errors[0]
    return problem(
        request.state.request_id,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        f"{first.where}: {first.message}.",
        errors=errors,
    )


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - likewise
    code = _CODES.get(HTTPStatus(error.status_code), "request-refused")
    detail = str(error.detail).rstrip(".") + "."
    answer = problem(request.state.request_id, error.status_code, code, detail)
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_methods(request)) or answer.headers.get("Allow", "")
    return answer


def _methods(request: Request) -> list[str]:
    """The methods of a path, of which Starlette names only the first route's; the most exact path counts."""
    paths = request.app.openapi()["paths"]
    fitting = [path for path in paths if compile_path(path)[0].fullmatch(request.url.path)]
    exact = min(fitting, key=lambda path: path.count("{"), default=None)
    return [] if exact is None else sorted(method.upper() for method in paths[exact])


async def _failed(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it once more behind this; the log has it here with the request's id.
    logger.error("request failed", path=request.url.path, exc_info=error)
    return problem(
        request.state.request_id, HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "The gateway failed; its log says how."
    )
