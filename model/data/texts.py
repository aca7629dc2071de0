"""The texts of a catalogue whose categories nobody needs to know."""

from pathlib import Path

from model.data.dataset import iter_products
from model.rows import Rows


def read_texts(path: Path) -> Rows:
    """Titles and descriptions of a data file, each pair once; columns go by their usual names.

    Raises:
        DataInvalid: The file is missing or unreadable.
        ColumnMissing: No column holds a title or a description.
    """
    pairs = ((row.title or "", row.description or "") for row in iter_products(path))
    texts = dict.fromkeys(pair for pair in pairs if any(pair))  # some rows have a photo alone
    return Rows([title for title, _ in texts], [description for _, description in texts])
