"""How each family names its weights in a file, and what shape they have there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from model.encoder.shape import EncoderShape, Family

WORDS: Final = "embeddings.word_embeddings.weight"
"""The one name that every family has; what stands before it stands before all of its names."""


@dataclass(frozen=True)
class Place:
    """Where one weight is kept.

    Args:
        slot: Its name in :class:`model.encoder.network.Encoder`.
        name: Its name in the file, without the prefix.
        shape: Its shape in the file, which is the transpose of a dense kernel's.
        dense: Whether it is a dense kernel.
    """

    slot: str
    name: str
    shape: tuple[int, ...]
    dense: bool = False


_BLOCKS: Final[dict[Family, str]] = {
    "bert": "encoder.layer",
    "roberta": "encoder.layer",
    "distilbert": "transformer.layer",
}
_BERT: Final = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mix": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "norm": "output.LayerNorm",
}
_DISTILBERT: Final = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "mix": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "widen": "ffn.lin1",
    "narrow": "ffn.lin2",
    "norm": "output_layer_norm",
}


def places(shape: EncoderShape) -> Iterator[Place]:
    """Where every weight of an encoder is kept."""
    yield Place("words", WORDS, (shape.vocabulary, shape.width))
    yield Place("positions", "embeddings.position_embeddings.weight", (shape.positions, shape.width))
    if shape.segments:
        yield Place("segments", "embeddings.token_type_embeddings.weight", (shape.segments, shape.width))
    yield from _norm("norm", "embeddings.LayerNorm", shape.width)
    parts = _DISTILBERT if shape.family == "distilbert" else _BERT
    for number in range(shape.depth):
        for part, name in parts.items():
            slot, path = f"blocks.{number}.{part}", f"{_BLOCKS[shape.family]}.{number}.{name}"
            if part.endswith("norm"):
                yield from _norm(slot, path, shape.width)
                continue
            into = shape.inner if part == "widen" else shape.width
            out_of = shape.inner if part == "narrow" else shape.width
            yield Place(f"{slot}.kernel", f"{path}.weight", (into, out_of), dense=True)
            yield Place(f"{slot}.bias", f"{path}.bias", (into,))


def old_name(name: str) -> str:
    """The name that TensorFlow 1 gave a layer normalisation's weight, and early directories still have."""
    stem, _, last = name.rpartition(".")
    return f"{stem}.{'gamma' if last == 'weight' else 'beta'}"


def _norm(slot: str, name: str, width: int) -> Iterator[Place]:
    yield Place(f"{slot}.gamma", f"{name}.weight", (width,))
    yield Place(f"{slot}.beta", f"{name}.bias", (width,))
