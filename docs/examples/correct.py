"""Say what a product is over HTTP, with nothing but Python: python correct.py EVENT_ID CODE"""

import json
import os
import sys
from urllib.request import Request, urlopen

event_id, code = sys.argv[1:]
request = Request(
    os.environ["AISLE_URL"] + "/api/v1/verdicts",
    json.dumps({"verdicts": [{"event_id": event_id, "verdict": "corrected", "code": code}]}).encode(),
    {"Authorization": "Bearer " + os.environ["AISLE_KEY"], "Content-Type": "application/json"},
)
with urlopen(request, timeout=30) as answer:
    print(answer.read().decode())
