"""Sizes that the contracts promise; what is larger is refused with a reason."""

KIB = 1024
MIB = 1024 * KIB

MAX_PRODUCT_RECORD_BYTES = MIB
"""Value of a record on ``products.in``, after decompression."""

MAX_RECORD_BYTES = 2 * MIB
"""Any record on the other topics: a full-size poison and its error headers fit."""

MAX_TITLE_CHARS = 1_000
MAX_DESCRIPTION_CHARS = 20_000
MAX_ID_CHARS = 200
MAX_URI_CHARS = 2_000
MAX_NOTE_CHARS = 2_000
MAX_ATTRIBUTES = 200
MAX_ERROR_MESSAGE_BYTES = 1_000

MAX_PHOTO_BYTES = 10 * MIB
"""An encoded photo, wherever it comes from."""
