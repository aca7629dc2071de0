"""What people have decided, by content: the same content keeps a person's category, whatever a model would say.

Every worker reads the topic ``verdicts`` from beginning to end before it takes work, then follows it, without a group.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final

from aiokafka.structs import ConsumerRecord

from infra.kafka.follower import Follower
from infra.logging import get_logger
from infra.metrics.answers import DECIDED_CONTENTS
from model.classifier import Classification
from schemas.content import digest_of
from schemas.prediction import REVIEWER, Category, Modality
from schemas.product import Product
from schemas.topics import VERDICTS
from schemas.verdict import ContentVerdict

_KEY_BYTES: Final = 16
"""Of the content's SHA-256: no two contents of a billion share these."""

_ROOM: Final = 16  # a sixteenth is forgotten at once: to find the oldest of a dict takes a walk over those that were
_MODALITIES: Final[tuple[Modality, ...]] = ("title", "description", "image")

Codes = dict[int, dict[bytes, str]]
"""Category by content, by partition of the topic; the latest last."""

logger = get_logger(__name__)


class DecidedContents:
    """Answers products whose content a person has decided.

    Args:
        limit: Most contents to keep.
        shelves: What a code stands for; a verdict that names any other says nothing here.
    """

    def __init__(self, limit: int, shelves: Mapping[str, Category]) -> None:
        self.shelves = shelves
        self._limit = limit
        self._share = limit
        self._codes: Codes = {}
        self._full = False

    def __len__(self) -> int:
        return sum(map(len, self._codes.values()))

    async def look_up(self, products: Sequence[Product]) -> dict[int, Classification]:
        """The person's answers, by the product's place among these."""
        if not len(self):
            return {}
        if any(product.image is not None and product.image.base64 is not None for product in products):
            keys = await asyncio.to_thread(_keys, products)  # megabytes to decode
        else:
            keys = _keys(products)
        named = {number: code for codes in self._codes.values() for number, code in _named(keys, codes)}
        shelves = ((number, self.shelves.get(code)) for number, code in named.items())
        return {number: _answer(products[number], shelf) for number, shelf in shelves if shelf is not None}

    def follower(self) -> Follower[Codes]:
        """What reads the topic for these."""
        return Follower(VERDICTS, self, "what people decide")

    def begin(self, partitions: int) -> Codes:
        """Nothing is decided yet."""
        self._share = max(1, self._limit // max(1, partitions))
        return {}

    def take(self, record: ConsumerRecord, state: Codes) -> None:
        """Keep the latest word on a content."""
        self._take(record, state, self._share)

    def put(self, state: Codes) -> None:
        """This is what people have decided by now."""
        if self._codes is not state:
            self._codes = state
            logger.info("verdicts known", contents=len(self))
        DECIDED_CONTENTS.set(len(self))

    def _take(self, record: ConsumerRecord, codes: Codes, share: int) -> None:
        try:
            key = _key(record.key)
            code = None if record.value is None else ContentVerdict.model_validate_json(record.value).code
        except ValueError:  # pydantic's are among them
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            logger.warning("record skipped", **place, why="it is no verdict on a content")
            return
        own = codes.setdefault(record.partition, {})
        own.pop(key, None)
        if code is not None:
            own[key] = sys.intern(code)
        if len(own) > share:
            self._forget(own, share)

    def _forget(self, own: dict[bytes, str], share: int) -> None:
        for key in list(islice(own, len(own) - share + share // _ROOM)):
            del own[key]
        if not self._full:
            self._full = True
            logger.warning(
                "more verdicts than are kept, the oldest are left to the model",
                limit=self._limit,
                hint="AISLE_VERDICTS_MAX sets the limit.",
            )


def _key(text: bytes | None) -> bytes:
    """The part of a record's key that is kept.

    Raises:
        ValueError: It is no SHA-256 in hexadecimal.
    """
    digest = bytes.fromhex((text or b"").decode())
    if len(digest) != sha256().digest_size:
        raise ValueError("no SHA-256")
    return digest[:_KEY_BYTES]


def _named(keys: Sequence[bytes], codes: Mapping[bytes, str]) -> list[tuple[int, str]]:
    """Which keys have a code, by their place."""
    return [(number, codes[key]) for number, key in enumerate(keys) if key in codes]


def _keys(products: Sequence[Product]) -> list[bytes]:
    return [digest_of(product)[:_KEY_BYTES] for product in products]


def _answer(product: Product, category: Category) -> Classification:
    parts = [name for name in _MODALITIES if getattr(product, name) is not None]
    return Classification(category, 1.0, [(category, 1.0)], False, REVIEWER, parts, ())
