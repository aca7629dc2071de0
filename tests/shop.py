"""What was published and said in a made-up shop, as the store has it."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from infra.store import Document
from workers.retrain.verdict_rows import Log

AT: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Shop:
    """What was published and said in a made-up shop."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.items: dict[str, Document] = {}

    def say(  # noqa: PLR0913 - a verdict has many parts
        self,
        title: str | None,
        code: str | None,
        by: str = "ann",
        *,
        verdict: str = "corrected",
        photo: str | None = None,
        item: str | None = None,
        predicted: str = "soups",
        product_id: str | None = None,
    ) -> str:
        """A verdict on a product of its own, else on a former one; its id."""
        number = len(self.documents)
        event = item or f"e{number}"
        image = {} if photo is None else {"image": {"sha256": photo}}
        product = {"title": title, "description": None, **image}
        said = {"product_id": product_id, "product": product, "prediction": {"category": {"code": predicted}}}
        self.items.setdefault(event, said)
        content = sha256(repr(self.items[event]["product"]).encode()).hexdigest()
        told = {"_id": f"f{number:05}", "event_id": event, "content": content, "verdict": verdict, "by": by}
        self.documents.append(told | {"at": AT + timedelta(seconds=number)} | ({"code": code} if code else {}))
        return str(told["_id"])

    @property
    def log(self) -> Log:
        """As it is read from the store."""
        return Log(self.documents, self.items)
