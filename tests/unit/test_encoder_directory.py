"""Hugging Face directories in Keras: what the reference implementation answers, ours answers too."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.encoder.shape import read_config, shape_of
from model.encoder.weights import open_weights
from model.errors import EncoderInvalid, EncoderUnsupported
from model.rows import Rows

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too

DIRECTORIES = Path(__file__).parents[1] / "data" / "encoders"
FAMILIES = ("bert", "camembert", "distilbert", "xlm-roberta")


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A copy of the BERT directory, to be changed."""
    return shutil.copytree(DIRECTORIES / "bert", tmp_path / "bert")


def _weights(directory: Path) -> dict[str, NDArray[Any]]:
    files = open_weights(directory)
    return {name: files.read(name) for name in files.files}


def _hidden(directory: Path) -> NDArray[Any]:
    """What our encoder makes of the golden ids, with 0 for padding."""
    from model.encoder.directory import load_directory

    golden = np.load(DIRECTORIES / directory.name / "golden.npz", allow_pickle=False)
    encoder = load_directory(directory, 3, np.random.default_rng(0)).network.encoder
    hidden: NDArray[Any] = encoder(golden["ids"], golden["segments"], golden["mask"]).numpy()
    masked: NDArray[Any] = hidden * golden["mask"][:, :, None]
    return masked


def _expected(name: str) -> NDArray[Any]:
    golden = np.load(DIRECTORIES / name / "golden.npz", allow_pickle=False)
    expected: NDArray[Any] = golden["hidden"] * golden["mask"][:, :, None]
    return expected


@pytest.mark.parametrize("name", FAMILIES)
def test_the_network_is_the_reference_implementations(name: str) -> None:
    """Every token's vector agrees to 1e-4, short and long texts, one segment and two."""
    np.testing.assert_allclose(_expected(name), _hidden(DIRECTORIES / name), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_tokens_are_the_reference_implementations(name: str) -> None:
    """Raw titles and descriptions become the ids and segments that the directory's own tokenizer gives."""
    from model.encoder.tokens import Tokens, read_tokenizer

    golden = np.load(DIRECTORIES / name / "golden.npz", allow_pickle=False)
    rows = Rows(golden["titles"].tolist(), golden["descriptions"].tolist())
    texts = Tokens(read_tokenizer(DIRECTORIES / name), 0, 40).of(rows)

    for row, length in enumerate(golden["mask"].sum(axis=1)):
        assert golden["ids"][row, :length].tolist() == texts.ids[row].tolist()
        assert golden["segments"][row, :length].tolist() == texts.segments[row].tolist()


def test_shards_are_one_network(bert: Path) -> None:
    """Weights over two files, found by their index, are the same weights."""
    from safetensors.numpy import save_file

    weights = _weights(bert)
    (bert / "model.safetensors").unlink()
    halves = [sorted(weights)[::2], sorted(weights)[1::2]]
    for number, names in enumerate(halves):
        save_file({name: weights[name] for name in names}, bert / f"model-{number}.safetensors")
    places = {name: f"model-{number}.safetensors" for number, names in enumerate(halves) for name in names}
    (bert / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}), encoding="utf-8")

    np.testing.assert_allclose(_expected("bert"), _hidden(bert), rtol=0, atol=1e-4)

    (bert / "model-1.safetensors").unlink()
    with pytest.raises(EncoderInvalid, match=r"lacks its file model-1\.safetensors"):
        open_weights(bert)


def test_old_names_and_any_prefix_are_known(bert: Path) -> None:
    """Gamma and beta, and names that begin otherwise, are found; what has no place is told."""
    from safetensors.numpy import save_file

    from model.encoder.directory import load_directory

    def old(name: str) -> str:
        if "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        return f"model.text.{name.removeprefix('bert.')}"

    renamed = {old(name): weight for name, weight in _weights(bert).items() if "pooler" not in name}
    save_file(renamed | {"cls.bias": np.zeros(3, np.float32)}, bert / "model.safetensors")

    np.testing.assert_allclose(_expected("bert"), _hidden(bert), rtol=0, atol=1e-4)
    assert ["cls.bias"] == load_directory(bert, 3, np.random.default_rng(0)).unused


def _config(directory: Path, **changes: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_other_architectures_get_one_line(bert: Path) -> None:
    """What has no loader is said in one sentence, with what is supported."""
    _config(bert, model_type="gpt2")
    with pytest.raises(EncoderUnsupported, match=r"of type 'gpt2', which has no loader\. Supported are bert, ") as told:
        read_config(bert)
    assert 1 == len(str(told.value).splitlines())

    _config(bert, model_type="bert", hidden_act="silu")
    with pytest.raises(EncoderUnsupported, match="activation 'silu'"):
        shape_of(read_config(bert), bert)


def test_a_training_looks_at_its_directories_first(bert: Path) -> None:
    """An architecture without a loader ends a training before anything is fitted, as encoder and as teacher."""
    from model.kinds import Wanted, kinds

    wanted = Wanted(photos=False, encoder=True, encoder_directory=bert, encoder_teacher=bert)
    assert ["text", "encoder"] == [kind.name for kind in kinds(wanted)]
    _config(bert, model_type="gpt2")
    for wanted in (Wanted(encoder=True, encoder_directory=bert), Wanted(encoder=True, encoder_teacher=bert)):
        with pytest.raises(EncoderUnsupported, match="of type 'gpt2'"):
            kinds(wanted)


def test_sizes_that_do_not_fit_are_refused_before_memory_is_taken(bert: Path) -> None:
    """A configuration of ten billion values is compared with the files first."""
    from model.encoder.directory import load_directory

    _config(bert, vocab_size=10_000_000, hidden_size=1_024)
    with pytest.raises(EncoderInvalid, match=r"its config\.json asks for 10000000 x 1024"):
        load_directory(bert, 3, np.random.default_rng(0))

    _config(bert, vocab_size=150, hidden_size=15)
    with pytest.raises(EncoderInvalid, match="do not fit together"):
        shape_of(read_config(bert), bert)


def test_pickled_weights_are_never_read(bert: Path) -> None:
    """A .bin is refused by name, with the way out; so are no weights at all, and damaged ones."""
    (bert / "model.safetensors").rename(bert / "pytorch_model.bin")
    with pytest.raises(EncoderInvalid, match=r"pickle.*Save it again with safe_serialization"):
        open_weights(bert)

    (bert / "pytorch_model.bin").unlink()
    with pytest.raises(EncoderInvalid, match=r"has no model\.safetensors"):
        open_weights(bert)

    (bert / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(EncoderInvalid, match="cannot be read"):
        open_weights(bert)


def test_a_missing_file_is_named(bert: Path) -> None:
    """Each file that a directory needs is missed by name, or by what it is for."""
    from model.encoder.tokens import read_tokenizer

    for file in bert.glob("*tok*"):
        file.unlink()
    with pytest.raises(EncoderInvalid, match=r"has no tokenizer\.json"):
        read_tokenizer(bert)
    (bert / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EncoderInvalid, match=r"tokenizer of .* cannot be loaded"):
        read_tokenizer(bert)
    (bert / "config.json").unlink()
    with pytest.raises(EncoderInvalid, match=r"has no config\.json"):
        read_config(bert)
