"""Files of products, classified in the background."""

import asyncio
from pathlib import PurePath
from typing import Annotated, Any, Final
from uuid import uuid4, uuid5

from fastapi import APIRouter, File, Path, Query, Response, UploadFile
from fastapi.responses import FileResponse
from starlette.status import HTTP_202_ACCEPTED

from schemas.http.job import Job, ResultFormat
from schemas.http.paging import Page
from schemas.ids import NAMESPACE, EventId
from schemas.limits import MAX_ID_CHARS
from workers.gateway.access import Customer
from workers.gateway.api.closed import nothing_to_get
from workers.gateway.api.predict import IdempotencyKey
from workers.gateway.bulk.folder import SUFFIXES, Folder
from workers.gateway.bulk.jobs import PATH, Jobs
from workers.gateway.bulk.keep import Sent, keep
from workers.gateway.errors import Conflict, NotFound, Unprocessable
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1", tags=["bulk"], responses=PROBLEMS)
nothing_to_get(router, "/predictions/bulk")

JobId = Annotated[EventId, Path(alias="id", description="The job's id.")]

_RESULT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A row for each row of the file.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/jsonl")},
    }
}
_MEDIA_TYPES: Final = {"csv": "text/csv", "jsonl": "application/jsonl"}


@router.post("/predictions/bulk", status_code=HTTP_202_ACCEPTED, summary="Classify a file of products")
async def ask(
    response: Response,
    who: Customer,
    parts: PartsOf,
    file: Annotated[UploadFile, File(description="CSV, TSV or JSON lines, 100,000 rows at most.")],
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Keep the file, and classify its rows in the background.

    Columns go by their usual names: id, title, description, image (a uri). Photos go by uri only in a CSV.
    """
    job_id, name = _job_id(who.name, idempotency_key), PurePath(file.filename or "").name
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise Unprocessable(f"The file's name ends with none of {', '.join(SUFFIXES)}.")
    response.headers["Location"] = f"{PATH}/{job_id}"
    return await keep(parts, Sent(job_id, who.name, _plain(name), suffix, file.file), again=idempotency_key is not None)


@router.get("/jobs", summary="Your files")
async def list_jobs(who: Customer, parts: PartsOf, limit: Limit = 50, cursor: Cursor = None) -> Page[Job]:
    """Files that were sent, the newest first; an operator sees everybody's."""
    return await Jobs(parts.store).listed(who, limit, cursor)


@router.get("/jobs/{id}", summary="One file")
async def show(who: Customer, parts: PartsOf, job: JobId) -> Job:
    """How far it is."""
    return await Jobs(parts.store).own(job, who)


@router.post("/jobs/{id}/cancel", summary="End a job")
async def cancel(who: Customer, parts: PartsOf, job: JobId) -> Job:
    """Publish no more of its rows; what was answered stays in the result."""
    jobs = Jobs(parts.store)
    await jobs.own(job, who)
    await jobs.cancel(job)
    return await jobs.own(job, who)


@router.get("/jobs/{id}/result", summary="The result of a file", response_class=FileResponse, responses=_RESULT)
async def result(
    who: Customer, parts: PartsOf, job: JobId, form: Annotated[ResultFormat, Query(alias="format")] = "csv"
) -> Response:
    """A row for each row of the file, with code, label, confidence and needs_review, or the error."""
    jobs = Jobs(parts.store)
    found = await jobs.own(job, who)
    if found.result is None:
        raise Conflict(f"The job is {found.state}.", hint="The result is there when it has ended.")
    document = await jobs.document(job)
    folder = Folder(parts.settings.data_dir, job, document["suffix"])
    if not folder.path.is_dir():
        raise NotFound("The result is not on this machine, or not any more.")
    if found.state == "done" and (path := folder.finished(form)).is_file():
        return FileResponse(path, media_type=_MEDIA_TYPES[form], filename=f"{job}.{form}")
    headers = {"Content-Disposition": f'attachment; filename="{job}.{form}"'}
    return Response(await asyncio.to_thread(folder.result, form), media_type=_MEDIA_TYPES[form], headers=headers)


def _job_id(user: str, key: str | None) -> str:
    return str(uuid4()) if key is None else str(uuid5(NAMESPACE, f"bulk\n{len(user)}\n{user}\n{key}"))


def _plain(name: str) -> str:
    """A name without what cannot be stored or shown."""
    return "".join(char for char in name if char.isprintable())[:MAX_ID_CHARS]
