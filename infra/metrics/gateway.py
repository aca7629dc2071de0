"""Of the gateway: who calls, and how long they wait."""

from typing import Final

from infra.metrics import Declare

_declare: Final = Declare("gateway")

HTTP_REQUESTS: Final = _declare.counter(
    "aisle_http_requests_total", "Requests that the gateway answered.", "method", "status"
)
PREDICT_TOOK: Final = _declare.histogram(
    "aisle_predict_duration_seconds", "How long a caller of the gateway waited for a prediction."
)
