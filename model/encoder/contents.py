"""What a Hugging Face directory holds, read and checked without TensorFlow, before anything long begins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.encoder.names import Place, places
from model.encoder.shape import EncoderShape, read_config, shape_of
from model.encoder.tokens import read_tokenizer
from model.encoder.weights import WeightFiles, open_weights
from model.errors import EncoderInvalid


@dataclass(frozen=True)
class Contents:
    """A directory that can be loaded.

    Args:
        config: Its configuration, of transformers.
        shape: The sizes that it gives.
        tokenizer: Its tokenizer, of transformers.
        files: Its weights, of which only the headers were read.
        weights: Every place of the encoder, and the name of its weight in the files.
    """

    config: Any
    shape: EncoderShape
    tokenizer: Any
    files: WeightFiles
    weights: list[tuple[Place, str]]


def read_contents(directory: Path) -> Contents:
    """Open a DistilBERT, BERT, RoBERTa, CamemBERT or XLM-R directory, from local files alone.

    Raises:
        EncoderUnsupported: It is of an architecture, or in a format, that has no loader.
        EncoderInvalid: A file is missing or damaged, or weights, tokenizer and configuration do not fit.
    """
    config = read_config(directory)
    shape = shape_of(config, directory)
    files = open_weights(directory)
    prefix = files.prefix()
    weights = [(place, files.locate(place, prefix)) for place in places(shape)]
    tokenizer = read_tokenizer(directory)
    if len(tokenizer) > shape.vocabulary:
        raise EncoderInvalid(
            f"The tokenizer of {directory} knows {len(tokenizer):,} tokens, and the network {shape.vocabulary:,}."
        )
    return Contents(config, shape, tokenizer, files, weights)
