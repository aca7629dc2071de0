"""What people can say, said in script: names, reasons and notes."""

from typing import Any

import httpx

from schemas.http.account import Role
from tests.hostile import seeds
from tests.hostile.payloads import ODD, SCRIPTS
from tests.hostile.stage import Stage, sign_in


def fill(stage: Stage) -> dict[str, Any]:
    """Say in script what people can say: names, reasons, notes; the cookie of whoever did."""
    answer = sign_in(stage, Role.ADMIN, SCRIPTS[1])
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    sent: list[tuple[str, Any]] = [
        ("/users", {"name": name, "role": "customer"}) for name in ("__proto__", "constructor", "a.b@c")
    ]
    sent += [("/me/keys", {"name": text}) for text in SCRIPTS[:6]]
    for number, text in enumerate((*SCRIPTS, *ODD[:6])):
        sent.append(("/dead-letters/drop", {"event_ids": [seeds.LETTERS[number % 4]], "why": text}))
        said = {"event_id": seeds.OWN[number % len(seeds.OWN)], "verdict": "validated", "note": text}
        if number < 4:
            sent.append(("/verdicts", {"verdicts": [said]}))
    with httpx.Client(base_url=f"{stage.url}/api/v1", headers=bearer, timeout=30) as client:
        for path, body in sent:
            client.post(path, json=body).raise_for_status()
    return {"name": "aisle_session", "value": answer.cookies["aisle_session"], "url": stage.url}
