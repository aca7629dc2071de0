"""Of the gateway: who calls, and how long they wait."""

from typing import Final

from infra.metrics import MILLISECONDS, Declare

_declare: Final = Declare("gateway")

HTTP_REQUESTS: Final = _declare.counter(
    "aisle_http_requests_total", "Requests that the gateway answered.", "method", "status"
)
PREDICT_TOOK: Final = _declare.histogram(
    "aisle_predict_duration_seconds",
    "How long a caller of the gateway waited for a prediction.",
    (*MILLISECONDS, 10.0, 20.0, 60.0),  # AISLE_GATEWAY_ANSWER_S is 10 s by default
)
