"""Takes up jobs: those that wait, and those whose gateway has died."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import uuid4

from infra.errors import StoreRefused, StoreUnavailable
from infra.lease import Lease, utc_now
from infra.logging import get_logger
from infra.store import Document
from schemas.errors import AisleError
from workers.gateway.bulk.folder import Folder, old_folders
from workers.gateway.bulk.jobs import Jobs, failed
from workers.gateway.bulk.places import Places, place_of
from workers.gateway.bulk.work import Ended, Work
from workers.gateway.parts import Parts

_LOOK_EVERY_S: Final = 2.0
_AT_A_TIME: Final = 3
_LEASE_S: Final = 30.0
_BEAT_EVERY_S: Final = 10.0
_TIDY_EVERY_S: Final = 600.0
_PLACED_WITHIN: Final = timedelta(minutes=1)  # from when a job is asked for to when its file is in its place
_PUT_OFF_S: Final = 30.0  # a job whose disk is away, so that it takes no other's turn
_STOP_S: Final = 3.0
_OF_THE_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
_PASSING: Final = frozenset({errno.ESTALE, errno.EIO})  # as of a network's disk that goes and comes back

logger = get_logger(__name__)


@asynccontextmanager
async def working(parts: Parts, look_every_s: float = _LOOK_EVERY_S) -> AsyncIterator[None]:
    """Work on jobs for as long as the context lasts."""
    task = asyncio.create_task(_Runner(parts).run(look_every_s))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=_STOP_S)


class _Runner:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._data_dir = parts.settings.data_dir
        self._jobs = Jobs(parts.store)
        self._places = Places(parts.store)
        self._holder = uuid4().hex
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._put_off: dict[str, float] = {}
        self._beat_at = self._tidied_at = float("-inf")

    async def run(self, look_every_s: float) -> None:
        try:
            while True:
                try:
                    await self._look()
                except (StoreUnavailable, StoreRefused):
                    self._places.look_anew()  # the next look will tell
                except Exception:
                    self._places.look_anew()
                    logger.exception("jobs not looked at, trying again")
                await asyncio.sleep(look_every_s)
        finally:
            for task in self._at_work.values():
                task.cancel()
            if self._at_work:
                await asyncio.wait(self._at_work.values())

    async def _look(self) -> None:
        self._at_work = {job: task for job, task in self._at_work.items() if not task.done()}
        self._put_off = {job: until for job, until in self._put_off.items() if until > monotonic()}
        place = await asyncio.to_thread(place_of, self._data_dir)
        if monotonic() - self._beat_at > _BEAT_EVERY_S:
            await self._places.beat(place)
            self._beat_at = monotonic()
        if len(self._at_work) < _AT_A_TIME and self._parts.road.answers.away is None:
            for document in await self._jobs.open(place):
                await self._take_up(document)
        if monotonic() - self._tidied_at > _TIDY_EVERY_S:
            self._tidied_at = monotonic()
            await self._tidy()

    async def _take_up(self, document: Document) -> None:
        job_id = str(document["_id"])
        if job_id in self._at_work or job_id in self._put_off or len(self._at_work) >= _AT_A_TIME:
            return
        if await asyncio.to_thread(self._is_coming, document):
            return
        lease = Lease(self._parts.store, f"job {job_id}", self._holder, lasts_s=_LEASE_S)
        if await lease.take():  # first of all: what is wrong here may be right where another works on it
            self._at_work[job_id] = asyncio.create_task(self._work(document, lease))

    def _is_coming(self, document: Document) -> bool:
        """Whether its file is not in its place yet, but may be soon."""
        try:
            young = utc_now() - document["asked_at"] <= _PLACED_WITHIN
            return young and not Folder(self._data_dir, str(document["_id"]), document["suffix"]).input.is_file()
        except (KeyError, TypeError, OSError):
            return False  # whoever has its lease meets it again, and says so

    async def _work(self, document: Document, lease: Lease) -> None:
        job_id = str(document["_id"])
        try:
            folder = Folder(self._data_dir, job_id, document["suffix"])
            if await asyncio.to_thread(folder.input.is_file):
                await Work(self._parts, document, lease).run()
            else:
                await self._fail(lease, job_id, "The file is not on the gateway's disk any more. Send it again.")
        except Ended:
            logger.info("job ended or taken over", job=job_id)
        except (StoreUnavailable, StoreRefused) as error:
            logger.warning("job waits for the store", job=job_id, why=error.message)
        except Exception as error:  # whatever is wrong with it is not wrong with the others
            if isinstance(error, OSError) and error.errno in _PASSING:
                self._put_off[job_id] = monotonic() + _PUT_OFF_S
                logger.warning("job waits for the disk", job=job_id, why=str(error))
            else:
                logger.exception("job failed", job=job_id)
                with suppress(StoreUnavailable, StoreRefused):  # it is taken up again, and fails again
                    await self._fail(lease, job_id, reason_of(error))
        finally:
            with suppress(StoreUnavailable, StoreRefused):
                await lease.drop()

    async def _fail(self, lease: Lease, job_id: str, why: str) -> None:
        """End a job that cannot be done, unless it is another's by now."""
        if await lease.renew():
            await self._jobs.write(job_id, lease.epoch, failed(why))

    async def _tidy(self) -> None:
        """End the jobs of machines that are gone, and forget those that ended long ago with their files."""
        for place in await self._places.gone():
            ended = await self._jobs.give_up(place, "The machine that had the file is gone. Send it again.")
            await self._places.forget(place)
            logger.warning("nobody works at a place any more, its jobs are ended", place=place, jobs=ended)
        await self._jobs.forget(utc_now())
        for folder in await asyncio.to_thread(old_folders, self._data_dir):
            if await self._jobs.maybe(folder.name) is None:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def reason_of(error: Exception) -> str:
    """Why a job failed, for whoever asked for it."""
    if isinstance(error, AisleError):
        return error.message
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        return f"The gateway cannot use its disk: {os.strerror(error.errno)}."
    return "The gateway failed on this file; its log says how."
