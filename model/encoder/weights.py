"""Weights out of safetensors files, single or in shards, and back. Pickled weights are never opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.encoder.names import WORDS, Place, old_name
from model.errors import EncoderInvalid, EncoderUnsupported

FILE: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
HEAD: Final = ("aisle_head.weight", "aisle_head.bias")
"""Names of the classes' layer, which is aisle's own: a weight [classes, width] and a bias [classes]."""

Floats = NDArray[np.float32]

_FLOATS: Final = ("F16", "F32", "F64")


@dataclass
class WeightFiles:
    """The weights of a directory, read one at a time.

    Args:
        directory: Where they are.
        files: The open file that has each name.
        used: Names that were read so far.
    """

    directory: Path
    files: Mapping[str, Any]
    used: set[str] = field(default_factory=set)

    def prefix(self) -> str:
        """What stands before the names that :mod:`model.encoder.names` knows, as ``bert.`` does.

        Raises:
            EncoderInvalid: No table of words is there, or several.
        """
        found = [name.removesuffix(WORDS) for name in self.files if name.endswith(WORDS)]
        if len(found) != 1:
            raise EncoderInvalid(f"{self.directory} has {len(found)} weights named {WORDS}, and one is needed.")
        return found[0]

    def locate(self, place: Place, prefix: str) -> str:
        """The name under which a weight is there, once its shape is right.

        Raises:
            EncoderInvalid: It is missing, or has another shape than the configuration says.
            EncoderUnsupported: It is of a type that cannot be read.
        """
        name = prefix + place.name
        if name not in self.files:
            name = old_name(name)
        if name not in self.files:
            raise EncoderInvalid(f"{self.directory} lacks the weight {prefix}{place.name}.")
        header = self.files[name].get_slice(name)
        if tuple(header.get_shape()) != place.shape:
            raise EncoderInvalid(
                f"The weight {name} of {self.directory} is {_times(header.get_shape())}, "
                f"and its config.json asks for {_times(place.shape)}."
            )
        if header.get_dtype() not in _FLOATS:
            raise EncoderUnsupported(
                f"The weight {name} of {self.directory} is {header.get_dtype()}, which cannot be read.",
                hint="Save the network in float32.",
            )
        return name

    def read(self, name: str) -> Floats:
        """One weight."""
        self.used.add(name)
        tensor: Floats = self.files[name].get_tensor(name).astype(np.float32, copy=False)
        return tensor

    def unused(self) -> list[str]:
        """Names that nobody has read."""
        return sorted(set(self.files) - self.used)


def open_weights(directory: Path) -> WeightFiles:
    """The weights of a directory; nothing is read yet but the files' headers.

    Raises:
        EncoderInvalid: There are none, a shard is missing, or a file is damaged.
    """
    if (directory / FILE).is_file():
        opened = _open(directory / FILE)
        return WeightFiles(directory, dict.fromkeys(opened.keys(), opened))
    if (directory / INDEX).is_file():
        return _shards(directory)
    if any(directory.glob("*.bin")):
        raise EncoderInvalid(
            f"{directory} has its weights only as pickle (.bin), which may run code as it is read.",
            hint="Save it again with safe_serialization=True.",
        )
    raise EncoderInvalid(f"{directory} has no {FILE}.", hint="Copy the directory again, with all of its files.")


def save_weights(path: Path, weights: Mapping[str, Floats]) -> None:
    """Write one safetensors file.

    Raises:
        OSError: The disk is full, or the path cannot be written.
    """
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(weight) for name, weight in weights.items()}
    path.write_bytes(save(whole, metadata={"format": "pt"}))  # what readers of the layout look for


def _shards(directory: Path) -> WeightFiles:
    try:
        places: dict[str, str] = json.loads((directory / INDEX).read_bytes())["weight_map"]
        shards = set(places.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderInvalid(f"{directory / INDEX} cannot be read: {error}.") from error
    if outside := [shard for shard in shards if Path(shard).name != shard]:
        raise EncoderInvalid(f"{directory / INDEX} names {min(outside)!r}, which is not in the directory.")
    opened = {shard: _open(directory / shard) for shard in sorted(shards)}
    for name, shard in places.items():
        if name not in opened[shard].keys():  # noqa: SIM118 - not a mapping
            raise EncoderInvalid(f"{directory / shard} lacks the weight {name}.")
    return WeightFiles(directory, {name: opened[shard] for name, shard in places.items()})


def _open(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(str(path), framework="np")
    except FileNotFoundError:
        raise EncoderInvalid(
            f"{path.parent} lacks its file {path.name}.", hint="Copy the directory again, with all of its files."
        ) from None
    except (SafetensorError, OSError) as error:
        raise EncoderInvalid(f"{path} cannot be read: {error}.", hint="Copy it again.") from error


def _times(shape: Any) -> str:
    return " x ".join(map(str, shape))
