"""A tokenizer and a configuration of one's own, for an encoder that learns from nothing but the user's texts."""

from collections.abc import Iterator
from typing import Any, Final

from model.data.cleaning import clean_description, clean_title
from model.encoder.hub import transformers
from model.rows import Rows

MAX_VOCABULARY: Final = 16_000
"""Word pieces that are learned from 10,000 products in a second."""

MIN_COUNT: Final = 3
"""Word pieces seen less often are spelled out."""

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_tokenizer(rows: Rows, max_tokens: int, vocabulary: int = MAX_VOCABULARY) -> Any:
    """Learn word pieces (Schuster and Nakajima 2012) from texts, without case and accents.

    Args:
        rows: The texts.
        max_tokens: Longest text, noted in the tokenizer's files.
        vocabulary: Most word pieces.

    Returns:
        A tokenizer of transformers, which saves itself in the layout.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    def of_pieces(pieces: dict[str, int]) -> Any:
        tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))  # noqa: S106 - no password
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return tokenizer

    learner = of_pieces({})
    # The trainer numbers single characters in the order of a hash table, and breaks ties between pairs by number: two
    # trainings on the same texts would learn other pieces. Those that are named beforehand have their number.
    letters = sorted({letter for text in _texts(rows) for letter in learner.normalizer.normalize_str(text)} - {" "})
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        min_frequency=MIN_COUNT,
        special_tokens=[*_SPECIAL, *letters, *(f"##{letter}" for letter in letters)],
        show_progress=False,
    )
    learner.train_from_iterator(_texts(rows), trainer)
    tokenizer = of_pieces(learner.get_vocab())
    ids = {name: number for number, name in enumerate(_SPECIAL)}  # the trainer gives them the first ids, in order
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), _SPECIAL, strict=True))
    return transformers().PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=max_tokens, **names)


def small_config(tokenizer: Any, max_tokens: int, *, depth: int, width: int) -> Any:
    """The configuration of a BERT of the given depth and width, four times as wide inside, heads of 64 values."""
    return transformers().BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=max(1, width // 64),
        intermediate_size=4 * width,
        max_position_embeddings=max_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )


def _texts(rows: Rows) -> Iterator[str]:
    for title, description in zip(rows.raw_titles, rows.raw_descriptions, strict=True):
        yield f"{clean_title(title)} {clean_description(description)}"
