"""A job at work: its rows go to the topic, so many at a time, and their answers into its file."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from time import monotonic
from typing import Any, Final
from uuid import uuid5

from pydantic import ValidationError

from infra.errors import BrokerUnavailable, DeliveryFailed
from infra.lease import Lease, utc_now
from infra.logging import get_logger
from infra.store import Document
from schemas.errors import AisleError
from schemas.http.account import Role
from schemas.http.job import RowResult
from schemas.ids import NAMESPACE
from schemas.prediction import Prediction
from schemas.product import Product
from workers.gateway.access import Principal
from workers.gateway.accounts.users import Users
from workers.gateway.bulk.folder import Folder, InputRow
from workers.gateway.bulk.jobs import Jobs
from workers.gateway.errors import BodyTooLarge, Busy, NotClassified
from workers.gateway.items.photo import may_name_photos
from workers.gateway.parts import Parts
from workers.gateway.road.submit import read_answer
from workers.gateway.road.uploads import NOT_NAMED

MOST_UNDER_WAY: Final = 1_000
"""Rows of one job that wait for their answer."""

_CHUNK: Final = 200
_WRITE_EVERY_S: Final = 1.0
_LOOK_AFTER_S: Final = 60.0
_AGAIN_S: Final = 2.0

logger = get_logger(__name__)


class Ended(Exception):
    """The job was cancelled, or another gateway has it."""


def event_of(job_id: str, row: int) -> str:
    """The event id of a row: the same whichever gateway publishes it, and however often."""
    return str(uuid5(NAMESPACE, f"job\n{job_id}\n{row}"))


class Work:
    """Works on a job under a lease.

    Args:
        parts: Publish, and know what was answered.
        document: The job as it is stored.
        lease: Held.
    """

    def __init__(self, parts: Parts, document: Document, lease: Lease) -> None:
        self._parts = parts
        self._job = document
        self._id = str(document["_id"])
        self._lease = lease
        self._folder = Folder(parts.settings.data_dir, self._id, document["suffix"])
        self._jobs = Jobs(parts.store)
        self._owner = Principal(document["owner"], Role.CUSTOMER)
        self._may_name = False
        self._waiting: dict[int, tuple[str, str, float]] = {}
        self._new: list[RowResult] = []
        self._done: dict[int, bool] = {}
        self._written_at = 0.0

    async def run(self) -> None:
        """Work until all rows are answered.

        Raises:
            Ended: It was cancelled, or is another's.
            StoreUnavailable: The store is away; whoever takes the job up goes on.
        """
        user = await Users(self._parts.store).find(self._owner.name)
        self._may_name = user is not None and may_name_photos(Principal(user.name, user.role), self._parts.settings)
        await asyncio.to_thread(self._folder.mend)
        known = await asyncio.to_thread(self._folder.answered)
        self._done = {row: one.error is not None for row, one in known.items()}
        first = {"state": "running", "started_at": self._job.get("started_at") or utc_now()}
        await self._write(first)
        try:
            rows = self._folder.rows()
            while chunk := await asyncio.to_thread(_some, rows):
                await self._send([row for row in chunk if row[0] not in self._done])
            while self._waiting:
                await self._collect()
            await self._keep()
            await asyncio.to_thread(self._folder.finish)
            await self._write({"state": "done", "ended_at": utc_now()})
        finally:
            for _, event_id, _ in self._waiting.values():
                self._parts.road.answers.forget(event_id)
            self._folder.add(self._new)

    async def _send(self, chunk: list[InputRow]) -> None:
        if not chunk:
            return
        while len(self._waiting) + len(chunk) > MOST_UNDER_WAY:
            await self._collect()
        sent_before: int = self._job["sent"]
        await self._write({"sent": max(chunk[-1][0], sent_before)})
        sending = asyncio.gather(*(self._send_one(*row, look=row[0] <= sent_before) for row in chunk))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=_WRITE_EVERY_S)
                if not sending.done():
                    await self._write({})
            await sending
        finally:
            sending.cancel()
        await self._collect(wait=False)

    async def _send_one(self, number: int, values: Any, *, look: bool) -> None:
        event_id = event_of(self._id, number)
        product = _product(values, event_id, self._owner.name)
        if isinstance(product, Product) and product.image is not None and product.image.uri and not self._may_name:
            product = NOT_NAMED
        if isinstance(product, str):
            self._take(RowResult(row=number, error=product))
            return
        self._waiting[number] = (product.product_id, event_id, monotonic())
        if look and await self._look(number):  # the gateway that sent it has died, maybe before its answer came
            return
        try:
            await self._publish(product, event_id)
        except BodyTooLarge as error:
            self._parts.road.answers.forget(event_id)
            del self._waiting[number]
            self._take(RowResult(row=number, product_id=product.product_id, event_id=event_id, error=error.message))

    async def _publish(self, product: Product, event_id: str) -> None:
        """Publish a product, as soon as there is room and a broker."""
        while True:
            try:
                self._parts.road.answers.await_(event_id)
                return await self._parts.road.publish(product, event_id)
            except (Busy, BrokerUnavailable, DeliveryFailed):
                await asyncio.sleep(_AGAIN_S)

    async def _collect(self, *, wait: bool = True) -> None:
        """Take what has been answered, waiting a moment for some."""
        answers = self._parts.road.answers
        futures = {number: answers.expect(event_id) for number, (_, event_id, _) in self._waiting.items()}
        there = [future for future in futures.values() if future is not None]
        if wait and there and not any(future.done() for future in there):
            await asyncio.wait(there, timeout=_WRITE_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        for number, future in futures.items():
            if future is not None and future.done() and not future.cancelled():
                product_id, event_id, _ = self._waiting.pop(number)
                try:
                    self._take(_result(number, read_answer(future.result())))
                except (NotClassified, ValidationError) as error:
                    said = error.message if isinstance(error, AisleError) else "The answer cannot be read."
                    self._take(RowResult(row=number, product_id=product_id, event_id=event_id, error=said))
        if wait and not there:
            await asyncio.sleep(_WRITE_EVERY_S)
        if monotonic() - self._written_at > _WRITE_EVERY_S:
            await self._look_at_late()
            await self._keep()
            await self._write({})

    async def _look_at_late(self) -> None:
        """Ask the store for some that wait for long: an answer may have come while nobody followed."""
        late = [number for number, (_, _, since) in self._waiting.items() if monotonic() - since > _LOOK_AFTER_S]
        for number in late[:_CHUNK]:
            if not await self._look(number):
                product_id, event_id, _ = self._waiting[number]
                self._waiting[number] = (product_id, event_id, monotonic())

    async def _look(self, number: int) -> bool:
        """Take a row's answer from the store, if it is there."""
        product_id, event_id, _ = self._waiting[number]
        past = await self._parts.past.of(event_id, self._owner)
        try:
            found = None if past is None else past.prediction()
        except NotClassified as error:
            result = RowResult(row=number, product_id=product_id, event_id=event_id, error=error.message)
        else:
            if found is None:
                return False
            result = _result(number, found)
        del self._waiting[number]
        self._parts.road.answers.forget(event_id)
        self._take(result)
        return True

    def _take(self, result: RowResult) -> None:
        self._new.append(result)
        self._done[result.row] = result.error is not None

    async def _keep(self) -> None:
        if self._new:
            new, self._new = self._new, []
            await asyncio.to_thread(self._folder.add, new)

    async def _write(self, fields: dict[str, Any]) -> None:
        """Note how far it is, and hold on to the lease.

        Raises:
            Ended: It was cancelled, or is another's.
        """
        counts = {"answered": len(self._done), "failed": sum(self._done.values())}
        if not await self._lease.renew() or not await self._jobs.write(self._id, self._lease.epoch, counts | fields):
            raise Ended
        self._written_at = monotonic()


def _some(rows: Iterator[InputRow]) -> list[InputRow]:
    return list(islice(rows, _CHUNK))


def _product(values: Any, event_id: str, owner: str) -> Product | str:
    """The product of a row, or why it is none."""
    if isinstance(values, str):
        return f"The row {values}."
    image = values.get("image")
    fields = {
        "product_id": values.get("id", event_id),
        "title": values.get("title"),
        "description": values.get("description"),
        "image": {"uri": image} if isinstance(image, str) else image,
        "submitted_by": owner,
    }
    try:
        return Product.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}." if where else f"{first['msg'].removeprefix('Value error, ')}."


def _result(number: int, prediction: Prediction) -> RowResult:
    return RowResult(
        row=number,
        product_id=prediction.product_id,
        event_id=prediction.event_id,
        code=prediction.category.code,
        label=prediction.category.label,
        confidence=prediction.confidence,
        needs_review=prediction.needs_review,
    )
