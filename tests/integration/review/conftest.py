"""A gateway for each test of reviewing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.store import Store
from tests.gateway import client, gateway
from tests.integration.review.desk import Clock, Desk, Names, Topic
from workers.gateway.review import claims as claims_module


@pytest.fixture
async def desk(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A gateway that knows three categories, with a clock under control."""
    clock = Clock()
    init = claims_module.Claims.__init__
    monkeypatch.setattr(claims_module.Claims, "__init__", lambda self, store: init(self, store, clock))
    taxonomy = tmp_path / "taxonomy.csv"
    taxonomy.write_text("code,label,theme\nsoups,Soups,Food\nteas,Teas,Drinks\njams,Jams,Food\n", encoding="utf-8")
    app, parts = gateway(tmp_path, store, taxonomy=taxonomy)
    app.state.gatekeeper = Names()
    topic = Topic(store)
    parts.road.answers.away, parts.road.producer = None, topic
    async with client(app) as ana, client(app) as bob:
        ana.headers["authorization"], bob.headers["authorization"] = "Bearer ana", "Bearer bob"
        yield Desk(app, parts, store, topic, clock, ana, bob)
