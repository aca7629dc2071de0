"""Makes the directories beside it, and what the reference implementation answers: ``python make.py``.

It needs torch and transformers, which aisle does without, so it was run once, in an environment of its own. The
weights are random and large, so that a wrong mask, head, position or activation shows.
"""  # noqa: INP001 - a script beside its data

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
TEXTS = (
    ("Thé vert bio", "Thé vert en sachets, origine Chine"),
    ("Soupe de potiron", ""),
    ("", "Jus d'orange à base de concentré, sans sucres ajoutés, 1 litre"),
    ("Théière en fonte 日本 0,8 l", "Idéale pour le thé vert : garde la chaleur, poignée mobile, filtre"),
)
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
WIDTHS = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24}
VOCABULARY = 150
SEGMENTS = {"return_token_type_ids": True, "max_length": 40}


def main() -> None:
    """Make all four."""
    make("distilbert", transformers.DistilBertConfig(**WIDTHS, max_position_embeddings=40), word_pieces())
    make("bert", transformers.BertConfig(**SIZES, max_position_embeddings=40), word_pieces())
    special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    positions = {"max_position_embeddings": 42, "type_vocab_size": 1, **special}
    make("camembert", transformers.CamembertConfig(**SIZES, **positions), sentence_pieces())
    make("xlm-roberta", transformers.XLMRobertaConfig(**SIZES, **positions, layer_norm_eps=1e-5), sentence_pieces())


def make(name: str, config: Any, tokenizer: Any) -> None:
    """One directory, and ``golden.npz`` in it."""
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    config.vocab_size = len(tokenizer)
    torch.manual_seed(len(name))
    network = transformers.AutoModel.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0.0, 0.4)
    network.save_pretrained(path)
    tokenizer.save_pretrained(path)
    encoded = [tokenizer(*(text for text in pair if text), truncation=True, **SEGMENTS) for pair in TEXTS]
    length = max(len(row["input_ids"]) for row in encoded)
    ids = filled([row["input_ids"] for row in encoded], length, tokenizer.pad_token_id)
    segments = filled([row["token_type_ids"] for row in encoded], length, 0)
    mask = filled([row["attention_mask"] for row in encoded], length, 0)
    inputs = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}
    if name == "bert":
        inputs["token_type_ids"] = torch.tensor(segments)
    with torch.no_grad():
        hidden = network(**inputs).last_hidden_state.numpy()
    titles, descriptions = (np.array(side) for side in zip(*TEXTS, strict=True))
    np.savez_compressed(
        path / "golden.npz",
        titles=titles,
        descriptions=descriptions,
        ids=ids.astype(np.int32),
        segments=segments.astype(np.int32),
        mask=mask.astype(np.int32),
        hidden=hidden.astype(np.float32),
    )


def word_pieces() -> Any:
    """A tokenizer as BERT has it."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts(), trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=40, **names)


def sentence_pieces() -> Any:
    """A tokenizer as the multilingual ones have it."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=VOCABULARY, special_tokens=special, unk_token="<unk>")  # noqa: S106
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=False)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), special, strict=True))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=40,
        cls_token="<s>",  # noqa: S106 - no password
        sep_token="</s>",  # noqa: S106 - no password
        **names,
    )


def texts() -> list[str]:
    """What the tokenizers learn from."""
    return [" ".join(pair) for pair in TEXTS for _ in range(3)]


def filled(rows: list[list[int]], length: int, pad: int) -> np.ndarray:
    """Rows of one length."""
    return np.array([row + [pad] * (length - len(row)) for row in rows])


if __name__ == "__main__":
    main()
