"""What a Hugging Face directory says of its network: the family and the sizes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from model.encoder.hub import transformers
from model.errors import EncoderInvalid, EncoderUnsupported

Family = Literal["bert", "distilbert", "roberta"]

FAMILIES: Final[dict[str, Family]] = {
    "bert": "bert",
    "distilbert": "distilbert",
    "camembert": "roberta",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
}
"""The family of each supported ``model_type`` of a ``config.json``."""

ACTIVATIONS: Final = ("gelu", "relu")

_LAYOUT: Final = "Give a directory in the Hugging Face layout: config.json, tokenizer.json, model.safetensors."


@dataclass(frozen=True)
class EncoderShape:
    """The sizes of an encoder.

    Args:
        family: How its weights are named, and how it counts positions.
        vocabulary: Token ids are in [0, vocabulary).
        positions: Rows of the position table.
        segments: Rows of the segment table; 0 where there is none.
        width: Values of each token's vector.
        depth: Transformer blocks.
        heads: Attention heads of a block.
        inner: Width of a block's feed-forward layer.
        activation: Of the feed-forward layer.
        epsilon: Of the layer normalisations.
        pad: The token id that fills short texts up.
        dropout: Share of a layer's outputs that training drops.
        attention_dropout: Share of the attention weights that training drops.
    """

    family: Family
    vocabulary: int
    positions: int
    segments: int
    width: int
    depth: int
    heads: int
    inner: int
    activation: str
    epsilon: float
    pad: int
    dropout: float
    attention_dropout: float

    @property
    def first_position(self) -> int:
        """The position of the first token: the RoBERTa family begins after the padding's own id."""
        return self.pad + 1 if self.family == "roberta" else 0

    @property
    def max_tokens(self) -> int:
        """The longest text it can take, in tokens."""
        return self.positions - self.first_position


def read_config(directory: Path) -> Any:
    """The configuration of a directory, as transformers reads it, with its defaults filled in.

    Raises:
        EncoderInvalid: There is no directory or no usable ``config.json``.
        EncoderUnsupported: It is of a network that has no loader.
    """
    path = directory / "config.json"
    try:
        kind = json.loads(path.read_bytes()).get("model_type")
    except FileNotFoundError:
        raise EncoderInvalid(f"{directory} has no config.json.", hint=_LAYOUT) from None
    except (OSError, ValueError, AttributeError) as error:
        raise EncoderInvalid(f"{path} cannot be read: {error}.", hint=_LAYOUT) from error
    if kind not in FAMILIES:
        raise EncoderUnsupported(
            f"{directory} holds a network of type {kind!r}, which has no loader.",
            hint=f"Supported are {', '.join(sorted(FAMILIES))}.",
        )
    try:
        return transformers().AutoConfig.from_pretrained(str(directory), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # what a broken file raises there is nowhere said
        raise EncoderInvalid(f"{path} cannot be used: {_first_line(error)}.", hint=_LAYOUT) from error


def shape_of(config: Any, directory: Path) -> EncoderShape:
    """The sizes that a configuration gives.

    Args:
        config: What :func:`read_config` returned.
        directory: Where it came from, for the messages.

    Raises:
        EncoderUnsupported: It asks for a variant that the layers do not compute.
        EncoderInvalid: Its sizes do not fit together.
    """
    family = FAMILIES[config.model_type]
    shape = _distilbert(config) if family == "distilbert" else _bert(config, family)
    if shape.activation not in ACTIVATIONS:
        raise EncoderUnsupported(
            f"{directory} uses the activation {shape.activation!r}, which has no implementation.",
            hint=f"Supported are {', '.join(ACTIVATIONS)}.",
        )
    if getattr(config, "position_embedding_type", None) not in (None, "absolute"):
        raise EncoderUnsupported(f"{directory} uses relative positions, which have no implementation.")
    if getattr(config, "is_decoder", False):
        raise EncoderUnsupported(f"{directory} holds a decoder.", hint="Give an encoder.")
    sizes = shape.vocabulary, shape.width, shape.depth, shape.heads, shape.inner
    if min(sizes) < 1 or shape.width % shape.heads or shape.max_tokens < 3:
        raise EncoderInvalid(f"The sizes in {directory / 'config.json'} do not fit together.")
    return shape


def _bert(config: Any, family: Family) -> EncoderShape:
    pad = config.pad_token_id
    return EncoderShape(
        family=family,
        vocabulary=config.vocab_size,
        positions=config.max_position_embeddings,
        segments=config.type_vocab_size,
        width=config.hidden_size,
        depth=config.num_hidden_layers,
        heads=config.num_attention_heads,
        inner=config.intermediate_size,
        activation=config.hidden_act,
        epsilon=config.layer_norm_eps,
        pad=(1 if family == "roberta" else 0) if pad is None else pad,
        dropout=config.hidden_dropout_prob,
        attention_dropout=config.attention_probs_dropout_prob,
    )


def _distilbert(config: Any) -> EncoderShape:
    return EncoderShape(
        family="distilbert",
        vocabulary=config.vocab_size,
        positions=config.max_position_embeddings,
        segments=0,
        width=config.dim,
        depth=config.n_layers,
        heads=config.n_heads,
        inner=config.hidden_dim,
        activation=config.activation,
        epsilon=1e-12,  # fixed in its reference implementation
        pad=config.pad_token_id or 0,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
