"""Whose photos a caller may name: a customer sends bytes, and names nothing."""

import io
from base64 import b64encode
from pathlib import Path

import pytest
from PIL import Image

from schemas.http.account import Role
from tests.gateway import client, gateway

PREDICT = "/api/v1/predictions"


@pytest.mark.parametrize(
    ("role", "setting", "uri", "status"),
    [
        (Role.CUSTOMER, False, "photos/a.jpg", 403),
        (Role.CUSTOMER, False, f"sha256:{'0' * 64}", 403),
        (Role.CUSTOMER, True, "photos/a.jpg", 503),
        (Role.REVIEWER, False, "photos/a.jpg", 503),
    ],
)
async def test_customers_name_no_photos_unless_a_setting_lets_them(
    tmp_path: Path, role: Role, setting: bool, uri: str, status: int
) -> None:
    """Else they could look at any photo below the image roots; 503 here: it would be sent, if a broker were there."""
    photo = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(photo, "JPEG")
    app, parts = gateway(tmp_path, gateway_photo_uris=setting)
    async with client(app, role) as calls:
        named = await calls.post(PREDICT, json={"title": "lamp", "image": {"uri": uri}})
        sent = await calls.post(PREDICT, json={"image": {"base64": b64encode(photo.getvalue()).decode()}})
    assert (status, 503) == (named.status_code, sent.status_code)
    parts.store.close()
