"""Of the workers' producer: what goes out."""

from typing import Final

from infra.metrics import Declare

PUBLISHED: Final = Declare("classify", "archive", "shadow").counter(
    "aisle_records_published_total", "Records that all in-sync replicas have.", "topic"
)
