"""Which model version is in service: the whole state of one alias, as a record."""

import re
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.prediction import ModelRef

CHAMPION: Final = "champion"
"""The alias of the version that answers products."""

CHALLENGER: Final = "challenger"
"""The alias of the version that is tried beside it, on a sample of the products: it answers nobody."""

_VERSION: Final = re.compile(r"\w[\w.+-]{0,199}", re.ASCII)


class ModelEvent(BaseModel):
    """A promotion or rollback. The record is the decision: whoever has read them all knows the champion.

    One that does not follow on the decision then in force is ignored; see ``follows``. That of a challenger needs to
    follow on none: the last one counts, and a record without a value takes it back.
    """

    model_config = ConfigDict(protected_namespaces=())

    model: ModelRef = Field(description="The version that is in force from now on.")
    alias: str = Field(default=CHAMPION, description="What it is in force as: champion or challenger.")
    bundle_uri: str = Field(description="Where its bundle is.")
    sha256: str = Field(description="SHA-256 of the bundle's manifest, which holds that of every file.")
    taxonomy_sha256: str = Field(description="SHA-256 of the taxonomy that it was trained for.")
    previous: str | None = Field(default=None, description="The version that was in force before.")
    sequence: int = Field(ge=1, description="1 more than that of the decision before.")
    by: str = Field(description="Who decided.")
    why: str = Field(description="And why.")
    at: datetime = Field(description="And when.")
    metrics: dict[str, float] = Field(default={}, description="What the version was measured to do.")

    @field_validator("model")
    @classmethod
    def _names_a_directory(cls, value: ModelRef) -> ModelRef:
        if not _VERSION.fullmatch(value.version):
            raise ValueError("a version is the name of a directory: letters, digits, and . _ + - within")
        return value

    @property
    def key(self) -> str:
        """The record's key, of which the topic keeps the last."""
        return f"{self.model.name}/{self.alias}"

    def follows(self, current: "ModelEvent | None") -> bool:
        """Whether it counts where another decision is in force.

        The next in sequence has to name the version in force as the one before it, so that of two who decide at once
        the first counts. One that is further on counts whatever it names: those in between were compacted away, or
        made where no broker could be told.
        """
        if current is None or self.sequence > current.sequence + 1:
            return True
        return self.sequence == current.sequence + 1 and self.previous == current.model.version


def in_force(told: ModelEvent | None, kept: ModelEvent | None) -> ModelEvent | None:
    """The decision that counts of two.

    Args:
        told: What the topic says.
        kept: What was kept in a file, perhaps where no broker could be told; counts only if it follows the other.
    """
    return kept if kept is not None and kept.follows(told) else told
