"""The manifest of a training set: what it was made from, what was left out and why. From it the set is made again."""

from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.bundle import Labels
from workers.retrain.set_errors import SetForgotten, SetUnknown
from workers.retrain.set_files import MANIFEST

_VERSION_CHARS: Final = 16


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class UsedVerdict(_Part):
    """A verdict that a row was made from."""

    feedback_id: str
    code: str
    photo: str | None = Field(default=None, description="SHA-256 of the product's photo.")


class SetAside(_Part):
    """Verdicts that nothing was made from, as they cannot be trusted."""

    who: str = Field(description="The author, or the two categories.")
    kind: Literal["author", "categories"] = "author"
    reason: str = Field(description="In words, with the figures.")
    verdicts: int
    feedback_ids: list[str]


class Disputed(_Part):
    """A golden row that people call something else; it stays what it is."""

    feedback_id: str
    golden: list[str]
    said: str
    by: str


class SetManifest(_Part):
    """What a training set says of itself."""

    format: Literal[1] = 1
    base: str = Field(description="Version of the base set.")
    base_sha256: str
    data_sha256: str = Field(description="Of the rows.")
    golden_sha256: str = Field(description="Of the golden rows: models are comparable by it while it is the same.")
    taxonomy: list[Labels] = Field(description="The categories that rows may have.")
    seed: int
    rows: int
    counts: dict[str, dict[str, int]] = Field(description="Rows by side (golden, base, verdict) and category.")
    left_out: list[int] = Field(description="Rows of the base set that are not in it, by their numbers from 0.")
    verdicts: list[UsedVerdict] = Field(description="What rows were made from, in their order.")
    rejected: list[str] = Field(description="Verdicts that reject a product; kept apart.")
    set_aside: list[SetAside] = []
    disputed: list[Disputed] = []
    outside: dict[str, list[str]] = Field(default={}, description="Verdicts with codes outside the taxonomy, by code.")
    repeats: int = Field(default=0, description="Contents that say what another one says: counted once.")
    without_content: int = Field(default=0, description="Contents of which nothing is left to learn from.")
    joining: list[str] = Field(default=[], description="Verdicts whose rows would join golden rows with others.")
    waiting: int = Field(default=0, description="Verdicts whose product is not archived.")
    forgotten: list[str] = Field(default=[], description="Verdicts whose rows were forgotten by request since.")

    @property
    def version(self) -> str:
        """The set's name: by its content as it was made, and by what was left out of it."""
        return sha256(self.model_dump_json(exclude={"forgotten"}).encode()).hexdigest()[:_VERSION_CHARS]

    def check_whole(self) -> None:
        """Return if all rows that the set was made with may still be there.

        Raises:
            SetForgotten: Some were forgotten by request.
        """
        if self.forgotten:
            raise SetForgotten(
                f"{len(self.forgotten):,} of {len(self.verdicts):,} verdicts of the training set {self.version} were "
                "forgotten by request, and their rows with them.",
                hint="It is not made again, as that would be another set; train on a new one.",
            )

    def summary(self) -> str:
        """What is in the set, in a sentence, and who is not."""
        sides = {side: sum(codes.values()) for side, codes in self.counts.items()}
        text = (
            f"{len(self.verdicts):,} verdicts, {sides.get('base', 0):,} former rows, {sides.get('golden', 0):,} golden"
        )
        if self.rejected:
            text += f"; {len(self.rejected):,} rejected"
        if self.outside:
            text += f"; outside the taxonomy: {', '.join(sorted(self.outside))}"
        return text + "".join(f"; set aside: {one.who} ({one.reason})" for one in self.set_aside)

    def document(self) -> dict[str, object]:
        """What the store keeps of it: all but the long lists, which the file has."""
        short = self.model_dump(
            exclude={"verdicts", "rejected", "left_out", "joining", "taxonomy", "outside", "set_aside", "forgotten"}
        )
        outside = {code: len(ids) for code, ids in self.outside.items()}
        return short | {
            "verdicts": len(self.verdicts),
            "rejected": len(self.rejected),
            "forgotten": len(self.forgotten),
            "left_out": len(self.left_out),
            "outside": [{"code": code, "verdicts": count} for code, count in sorted(outside.items())],
            "set_aside": [one.model_dump(exclude={"feedback_ids"}) for one in self.set_aside],
            "counts": [
                {"side": side, "code": code, "rows": rows}
                for side, codes in self.counts.items()
                for code, rows in codes.items()
            ],
        }


def read_set_manifest(folder: Path) -> SetManifest:
    """The manifest of a training set.

    Raises:
        SetUnknown: It has none that can be read.
    """
    try:
        return SetManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise SetUnknown(f"{folder} has no manifest of a training set: {error}.") from error


def set_folders(sets: Path) -> list[Path]:
    """The folders of all training sets that are here, the newest first."""
    found = [path for path in sets.glob(f"*/{MANIFEST}") if not path.parent.name.startswith((".", "base-"))]
    found.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [path.parent for path in found]


def find_set(sets: Path, version: str) -> Path:
    """The folder of the training set whose version begins so.

    Raises:
        SetUnknown: There is none, or more than one.
    """
    named = [folder for folder in set_folders(sets) if folder.name.startswith(version)]
    if len(named) == 1:
        return named[0]
    if named:
        raise SetUnknown(f"{len(named)} training sets have a version that begins with {version!r}.", hint="Give more.")
    raise SetUnknown(
        f"No training set in {sets} has a version that begins with {version!r}.",
        hint="`aisle retrain runs` names those that were made.",
    )
