"""A file that was sent becomes a job: kept on the disk, asked for in the store, and put in its place, in this order."""

import asyncio
from dataclasses import dataclass
from typing import BinaryIO

from schemas.http.job import Job
from workers.gateway.bulk.folder import Folder, digest_of
from workers.gateway.bulk.jobs import Asked, Jobs, check_same, job_of, never_begun
from workers.gateway.bulk.places import Places, place_of
from workers.gateway.parts import Parts


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was sent.

    Args:
        job_id: Of the job that it becomes.
        owner: Who sent it.
        name: Its name, for people.
        suffix: Of its name.
        content: The file.
    """

    job_id: str
    owner: str
    name: str
    suffix: str
    content: BinaryIO


async def keep(parts: Parts, sent: Sent, *, again: bool) -> Job:
    """Make a job of a file.

    Args:
        parts: Have store and data directory.
        sent: The file.
        again: Whether it may be a job already: then it is this one, and not another one.

    Raises:
        KeyReused: The job has another file.
        TooMany: The account has as many under way as it may.
        Unprocessable: The file cannot be used.
    """
    jobs, data_dir = Jobs(parts.store), parts.settings.data_dir
    digest = await asyncio.to_thread(digest_of, sent.content, sent.suffix)
    place = await asyncio.to_thread(place_of, data_dir)
    known = await jobs.maybe(sent.job_id) if again else None
    folder = Folder(data_dir, sent.job_id, sent.suffix)
    if known is not None:
        check_same(known, digest)
        lacks_file = known["state"] == "waiting" and known.get("place") == place and not folder.input.is_file()
        if not lacks_file and not never_begun(known):
            return job_of(known)
    if known is None:
        await jobs.room.check(sent.owner)
    staged = await asyncio.to_thread(folder.stage, sent.content)
    try:
        await Places(parts.store).beat(place)
        job = await jobs.ask(Asked(sent.job_id, sent.owner, sent.name, sent.suffix, digest, place, staged.rows))
        folder.place(staged)
    except BaseException:
        folder.drop(staged.path)
        raise
    return job
