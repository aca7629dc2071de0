"""A Hugging Face directory as a Keras network with its tokenizer, and back. Importing this imports TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.encoder.contents import read_contents
from model.encoder.names import Place, places
from model.encoder.network import Encoder, EncoderNetwork, initialise
from model.encoder.shape import shape_of
from model.encoder.weights import FILE, HEAD, Floats, WeightFiles, save_weights


@dataclass(frozen=True)
class Loaded:
    """A directory in memory.

    Args:
        network: The network.
        tokenizer: Its tokenizer, of transformers.
        config: Its configuration, of transformers.
        unused: Weights of the directory that the network has no place for: another head, mostly.
        own_head: Whether the classes' layer is the directory's own; else its weights are random.
    """

    network: EncoderNetwork
    tokenizer: Any
    config: Any
    unused: list[str]
    own_head: bool


def load_directory(directory: Path, classes: int, rng: np.random.Generator) -> Loaded:
    """Load a DistilBERT, BERT, RoBERTa, CamemBERT or XLM-R directory, from local files alone.

    Args:
        directory: Where config.json, the tokenizer's files and the safetensors are.
        classes: How many classes the network is to have.
        rng: Where the first weights of a new classes' layer and the seeds of the dropouts come from.

    Raises:
        EncoderUnsupported: It is of an architecture, or in a format, that has no loader.
        EncoderInvalid: A file is missing or damaged, or weights and configuration do not fit.
    """
    found = read_contents(directory)  # before any memory is taken
    network = EncoderNetwork(found.shape, classes, rng)
    slots = network.encoder.slots()
    for place, name in found.weights:
        weight = found.files.read(name)
        slots[place.slot].assign(weight.T if place.dense else weight)
    own_head = _load_head(network, found.files)
    if not own_head:
        initialise(network.head, rng)
    return Loaded(network, found.tokenizer, found.config, found.files.unused(), own_head)


def new_network(config: Any, classes: int, rng: np.random.Generator) -> EncoderNetwork:
    """A network with random weights, of the sizes that a configuration gives."""
    network = EncoderNetwork(shape_of(config, Path("config.json")), classes, rng)
    initialise(network, rng, config.initializer_range)
    return network


def save_directory(path: Path, network: EncoderNetwork, config: Any, tokenizer: Any) -> None:
    """Write a network in the layout it can be loaded from, into a directory that is there.

    Raises:
        OSError: The disk is full, or the path cannot be written.
    """
    config.save_pretrained(str(path))
    tokenizer.save_pretrained(str(path))
    weights = encoder_weights(network.encoder)
    head = network.head
    weights |= dict(zip(HEAD, (head.kernel.numpy().T, head.bias.numpy()), strict=True))
    save_weights(path / FILE, weights)


def encoder_weights(encoder: Encoder) -> dict[str, Floats]:
    """An encoder's weights, named and shaped as its family keeps them."""
    slots = encoder.slots()
    return {place.name: _as_kept(slots[place.slot].numpy(), place) for place in places(encoder.shape)}


def _load_head(network: EncoderNetwork, files: WeightFiles) -> bool:
    """Read the classes' layer, if there is one of as many classes."""
    kernel, bias = network.head.kernel, network.head.bias
    shapes = [tuple(files.files[name].get_slice(name).get_shape()) for name in HEAD if name in files.files]
    if shapes != [kernel.shape[::-1], bias.shape]:
        return False
    kernel.assign(files.read(HEAD[0]).T)
    bias.assign(files.read(HEAD[1]))
    return True


def _as_kept(weight: Floats, place: Place) -> Floats:
    return weight.T if place.dense else weight
