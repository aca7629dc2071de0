"""Have a product classified over HTTP, with nothing but Python: python predict.py TITLE"""

import json
import os
import sys
from urllib.request import Request, urlopen
from uuid import uuid4

request = Request(
    os.environ["AISLE_URL"] + "/api/v1/predictions",
    json.dumps({"title": sys.argv[1]}).encode(),
    {
        "Authorization": "Bearer " + os.environ["AISLE_KEY"],
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid4()),  # keep it, and the same call again is the same event
    },
)
with urlopen(request, timeout=30) as answer:
    prediction = json.load(answer)
if answer.status == 202:  # it takes longer: ask for it at this link
    print("pending", prediction["link"])
else:
    print(prediction["event_id"], prediction["category"]["code"], f"{prediction['confidence']:.3f}")
