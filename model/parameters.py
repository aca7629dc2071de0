"""The parameters of a training: read from one TOML file, strictly, and written with what each is for."""

import difflib
import json
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from model.data.columns import Columns
from model.errors import ParametersInvalid
from model.kinds import Wanted

FILE: Final = "training.toml"
"""Name of the file in a bundle that holds the parameters it was trained with."""

DEFAULT_NAME: Final = "aisle"

_WIDTH = 100
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]")
_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ColumnNames(_Section):
    """Names of the data's columns. One that is not given is found by its usual names."""

    title: str | None = Field(None, min_length=1, description="Column with the title.")
    description: str | None = Field(None, min_length=1, description="Column with the description.")
    category: str | None = Field(None, min_length=1, description="Column with the category.")
    theme: str | None = Field(None, min_length=1, description="Column with the theme.")
    id: str | None = Field(None, min_length=1, description="Column with the id.")
    image: str | None = Field(None, min_length=1, description="Column with the photo.")

    def columns(self) -> Columns:
        """As the loaders take them."""
        return Columns(**self.model_dump())


class TrainOptions(_Section):
    """What a training may vary. The defaults were chosen by cross-validation, on several data sets at once."""

    name: str = Field(DEFAULT_NAME, min_length=1, description="What the model is called, beside its version.")
    seed: int = Field(0, ge=0, lt=2**32, description="Of the split and the solvers.")
    test_share: float = Field(0.2, ge=0.01, le=0.5, description="Part of the rows that only measures.")
    auto_accept_precision: float = Field(
        0.95, ge=0.5, le=1, description="Share of right answers among those that need no review."
    )
    baseline: bool = Field(False, description="Measure TF-IDF + LinearSVC on the same rows, for the report.")
    taxonomy: Annotated[Path, Strict(False)] | None = Field(
        None, description="CSV of codes and labels that every category must be in."
    )
    columns: ColumnNames = ColumnNames()
    stages: Wanted = Wanted()

    def flat(self) -> dict[str, Any]:
        """By the names of the command line's options: ``title_column`` for ``columns.title``."""
        own = self.model_dump(exclude={"columns", "stages"})
        columns = {f"{role}_column": name for role, name in self.columns.model_dump().items()}
        return own | self.stages.model_dump() | columns


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the names of `TrainOptions.flat` as a file of parameters has them."""
    found: dict[str, Any] = {"columns": {}, "stages": {}}
    for name, value in flat.items():
        if name.endswith("_column"):
            found["columns"][name.removesuffix("_column")] = value
        elif name in Wanted.model_fields:
            found["stages"][name] = value
        else:
            found[name] = value
    return found


def parameters(given: Mapping[str, Any], path: Path | None = None) -> TrainOptions:
    """The parameters in a file, and what goes before them.

    Args:
        given: What goes before the file's, and before the defaults, as `nested` gives it.
        path: TOML, with any part of the parameters; None: all but the given ones are the defaults.

    Raises:
        ParametersInvalid: The file cannot be read, is no TOML, or has a key that is unknown or of the wrong type; the
            message names line and key. Or a given one is not what it may be.
    """
    under, text = ({}, "") if path is None else _read(path)
    try:
        TrainOptions.model_validate(under)
    except ValidationError as error:
        said = "\n".join(_said(f"{path}", text, one) for one in error.errors())
        raise ParametersInvalid(said, hint="`aisle train --write-config` prints all there are.") from error
    try:
        return TrainOptions.model_validate(_merged(under, given))
    except ValidationError as error:
        raise ParametersInvalid("\n".join(_said("", "", one) for one in error.errors())) from error


def as_toml(options: TrainOptions, head: str = "") -> str:
    """A file of parameters that says them all, each with what it is for.

    Args:
        options: What to write; what is not set is there as a comment.
        head: What the file begins with, as a comment.
    """
    lines = [*_comment(head), *_lines(options)]
    for name, value in options:
        if isinstance(value, BaseModel):
            lines += ["", f"[{name}]", *_comment(value.__doc__ or ""), *_lines(value)]
    return "\n".join(lines) + "\n"


def _lines(section: BaseModel) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            continue
        yield ""
        yield from _comment(field.description or "")
        yield f'# {name} = "..."' if value is None else f"{name} = {_value(value)}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for part in text.splitlines() for line in textwrap.wrap(part.strip(), _WIDTH) or [""]]


def _value(value: str | float | bool | Path) -> str:
    """A JSON value is a TOML one, but for a sign that JSON writes as it is."""
    text = str(value) if isinstance(value, Path) else value
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        merged[name] = _merged(merged.get(name, {}), value) if isinstance(value, Mapping) else value
    return merged


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """What a file says, and its text."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except OSError as error:
        raise ParametersInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ParametersInvalid(f"{path} is not UTF-8.", hint="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ParametersInvalid(f"{path} is no TOML: {error}.") from error


def _said(file: str, text: str, error: Any) -> str:
    place = [str(part) for part in error["loc"]]
    line = _line(text, ".".join(place))
    where = (f"{file}, line {line}: " if line else f"{file}: ") if file else ""
    if error["type"] != "extra_forbidden":
        return f"{where}{'.'.join(place)}: {error['msg']}."
    section: Any = TrainOptions.model_fields[place[0]].annotation if len(place) > 1 else TrainOptions
    near = difflib.get_close_matches(place[-1], section.model_fields, 1)
    return f"{where}there is no {'.'.join(place)}" + (f"; is it {near[0]}?" if near else ".")


def _line(text: str, name: str) -> int | None:
    """The line that a key, or a section, is in."""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = f"{header[1].strip()}."
            if section == f"{name}.":
                return number
        elif (key := _KEY.match(line)) and section + re.sub(r"[\"']", "", key[1]) == name:
            return number
    return None
