"""What ``aisle replay`` was asked for: its options, as they are checked and kept."""

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import click
from pydantic import BaseModel, ConfigDict

from schemas.topics import PRODUCTS_IN

Kind = Literal["file", "topic", "dead_letters", "items"]

_KINDS: Final[tuple[Kind, ...]] = ("file", "topic", "dead_letters", "items")
_TIMES: Final = {"since", "until"}
_OF: Final[dict[Kind, set[str]]] = {
    "file": set(),
    "topic": {"partition", "offsets", "key", "replayed", *_TIMES},
    "dead_letters": {"stage", "reason", *_TIMES},
    "items": {"category", "by_model", "needs_review", *_TIMES},
}


class Asked(BaseModel):
    """The options of a replay; see the command's help for what each means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = None
    topic: str | None = None
    partition: tuple[int, ...] = ()
    offsets: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    replayed: bool = False
    dead_letters: bool = False
    stage: Literal["decode", "preprocess", "infer", "poison"] | None = None
    reason: str | None = None
    items: bool = False
    category: str | None = None
    by_model: str | None = None
    needs_review: bool = False
    since: datetime | None = None
    until: datetime | None = None
    rate: float | None = None
    speed: float | None = None
    limit: int | None = None
    to: str | None = None
    to_cluster: str | None = None
    model: str | None = None

    @property
    def given(self) -> set[str]:
        """The names of those that were given."""
        return set(self.model_dump(exclude_defaults=True))

    @property
    def kind(self) -> Kind:
        """What is replayed.

        Raises:
            click.UsageError: Nothing, or several things.
        """
        kinds = [kind for kind in _KINDS if kind in self.given]
        if len(kinds) != 1:
            raise click.UsageError("Say what to replay: a FILE, --topic, --dead-letters or --items, one of them.")
        return kinds[0]

    @property
    def target(self) -> str:
        """The topic that it goes to."""
        return self.to or self.topic or PRODUCTS_IN

    def check(self) -> None:
        """Make sure that the options go together.

        Raises:
            click.UsageError: They do not.
        """
        for name in sorted(set().union(*_OF.values()) - _OF[self.kind]):
            if name in self.given:
                raise click.UsageError(f"--{_said(name)} does not go with {self.source}.")
        if self.model and (self.to or self.to_cluster):
            raise click.UsageError("--model publishes nothing: it goes without --to and --to-cluster.")
        if self.speed and self.kind != "topic":
            raise click.UsageError("--speed is for --topic: only its records come in the order of their times.")
        if self.rate and self.speed:
            raise click.UsageError("--rate and --speed are two ways; choose one.")

    @property
    def source(self) -> str:
        """What is replayed, in words."""
        return "a file" if self.kind == "file" else f"--{_said(self.kind)}"


def _said(name: str) -> str:
    return name.replace("_", "-")
