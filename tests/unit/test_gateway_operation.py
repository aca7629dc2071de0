"""What operators see, as far as it needs neither broker nor store."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from infra.runs import LogLine
from model.champion import keep
from schemas.http.account import Role
from schemas.taxonomy import BUILTIN_PATH
from tests.bundles import decided, make_bundle
from tests.gateway import client, gateway
from workers.gateway.errors import Unprocessable
from workers.gateway.operation.models import policy_of
from workers.gateway.operation.runs import lines_after, place_after
from workers.gateway.operation.shared import Shared

MODELS, TAXONOMY = "/api/v1/models", "/api/v1/taxonomy"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def test_the_taxonomy_is_told_in_a_language_and_sent_once(tmp_path: Path) -> None:
    """That of the setting, in its own order; who has it is told so, per language."""
    app, _ = gateway(tmp_path, taxonomy=BUILTIN_PATH)
    async with client(app, Role.CUSTOMER) as calls:
        french = await calls.get(TAXONOMY, params={"lang": "fr"})
        found = french.json()
        assert (27, ["en", "fr"], None) == (len(found["categories"]), found["languages"], found["model_version"])
        assert {"code": "1940", "label": "alimentation", "theme": "alimentation"} in found["categories"]
        assert ("livres et magazines", "10") == (found["themes"][0]["theme"], found["themes"][0]["codes"][0])
        assert sorted(one["code"] for one in found["categories"]) == sorted(
            code for theme in found["themes"] for code in theme["codes"]
        )
        again = await calls.get(TAXONOMY, params={"lang": "fr"}, headers={"If-None-Match": french.headers["etag"]})
        other = await calls.get(TAXONOMY, headers={"If-None-Match": french.headers["etag"]})
    assert (304, b"", 200) == (again.status_code, again.content, other.status_code)


async def test_without_a_taxonomy_the_model_in_service_has_the_word(tmp_path: Path) -> None:
    """And without either the caller is told to come back."""
    app, parts = gateway(tmp_path)
    async with client(app, Role.CUSTOMER) as calls:
        assert 503 == (await calls.get(TAXONOMY)).status_code
        keep(tmp_path / "models", decided(make_bundle(tmp_path / "models", "1")))
        parts.operation.decisions._now.forget()
        found = (await calls.get(TAXONOMY)).json()
    assert ("1", ["soups", "teas"]) == (found["model_version"], [one["code"] for one in found["categories"]])


async def test_models_are_listed_also_where_one_is_broken_and_no_broker_answers(tmp_path: Path) -> None:
    """What the pointer file says is told as that; a model's page has its own policy."""
    keep(tmp_path / "models", decided(make_bundle(tmp_path / "models", "1")))
    (make_bundle(tmp_path / "models", "2") / "manifest.json").write_text("{")
    page = "<style>p{}</style><p>1</p>"
    (tmp_path / "models" / "1" / "report").mkdir()
    (tmp_path / "models" / "1" / "report" / "report.html").write_text(page)
    app, _ = gateway(tmp_path)
    async with client(app, Role.REVIEWER) as calls:
        listed = (await calls.get(MODELS)).json()
        assert [("2", True, None), ("1", False, f"{MODELS}/1/report")] == [
            (row["version"], row["broken"] is not None, row["report"]) for row in listed["items"]
        ]
        assert ("1", True) == (listed["champion"]["version"], listed["untold"] is not None)
        assert 409 == (await calls.get(f"{MODELS}/2")).status_code
        report = await calls.get(f"{MODELS}/champion/report")
        for version in ("3", "3/report", "..%2f1", "..%2f1/report"):
            assert 404 == (await calls.get(f"{MODELS}/{version}")).status_code
    assert (page, policy_of(page.encode())) == (report.text, report.headers["content-security-policy"])


def test_a_reports_policy_names_its_styles_and_nothing_else() -> None:
    """By their hashes: a style or script that somebody got into the page is not applied."""
    digest = b64encode(sha256(b"\np{}\n").digest()).decode()
    policy = policy_of(b"<style>\np{}\n</style><script>alert(1)</script>")
    assert f"default-src 'none'; style-src 'sha256-{digest}'; " in policy
    assert policy.endswith("sandbox")
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "style-src 'none'" in policy_of(b"<p>")


def test_no_line_of_a_log_is_missed_or_told_twice() -> None:
    """Also where several were said in one millisecond, and where the oldest were dropped meanwhile."""
    log = [LogLine(at=AT + timedelta(milliseconds=number // 3), said=str(number)) for number in range(9)]
    seen, place = list[str](), place_after([])
    for count in range(10):
        kept = log[max(0, count - 4) : count]
        seen += [line.said for line in lines_after(kept, place)]
        place = place_after(kept, place)
    assert [str(number) for number in range(9)] == seen
    for made_up in ("WzFd", "x", "WyJ4IiwieSJd"):
        with pytest.raises(Unprocessable):
            lines_after(log, made_up)


async def test_what_many_ask_for_is_made_once() -> None:
    """One task for all who wait; what went wrong is told to them and kept for nobody; old news is made anew."""
    made, go_on = 0, asyncio.Event()

    async def make() -> int:
        nonlocal made
        made += 1
        await go_on.wait()
        if made == 1:
            raise ValueError
        return made

    shared = Shared(make, 60)
    waiting = [asyncio.create_task(shared.get()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # a caller who goes takes nothing from the others
    go_on.set()
    outcomes = await asyncio.gather(*waiting[1:], return_exceptions=True)
    assert [ValueError] * 4 == [type(one) for one in outcomes]
    assert [2, 2] == [await shared.get() for _ in range(2)]
    shared.forget()
    assert 3 == await shared.get()
