"""The Faust app's settings that follow from ours."""

import pytest

from infra.kafka.app import new_app
from infra.settings import Settings


@pytest.mark.parametrize(("session_s", "heartbeat_s"), [(6, 2), (12, 4), (45, 4), (300, 4)])
def test_a_long_session_does_not_make_a_group_slow_to_notice(session_s: float, heartbeat_s: float) -> None:
    """Members hear at their next heartbeat that one came or went: of a long session that is not a third."""
    app = new_app("test", Settings(session_timeout_s=session_s), "127.0.0.1:1")

    assert heartbeat_s == app.conf.broker_heartbeat_interval
    assert session_s == app.conf.broker_session_timeout
