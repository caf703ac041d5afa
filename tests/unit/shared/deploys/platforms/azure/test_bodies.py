"""What a revision is written as."""

from __future__ import annotations

import pytest

from shared.deploys.platforms.azure.bodies import FAILURES, template


def test_without_a_health_path_the_port_is_probed(spec) -> None:
    [container] = template(spec(), "image", {}, {})["containers"]
    assert [(one["type"], one["tcpSocket"], one["periodSeconds"]) for one in container["probes"]] == [
        ("Startup", {"port": 8080}, 5),
        ("Readiness", {"port": 8080}, 5),
    ]


@pytest.mark.parametrize(("seconds", "period"), [(10, 1), (95, 10), (600, 60)])
def test_a_health_path_is_probed_for_as_long_as_it_may_take(spec, seconds, period) -> None:
    [container] = template(spec(health_path="/ready", health_seconds=seconds), "image", {}, {})["containers"]
    startup, readiness = container["probes"]
    expected = {"port": 8080, "path": "/ready", "scheme": "HTTP"}
    assert (startup["httpGet"], readiness["httpGet"]) == (expected, expected)
    assert (startup["periodSeconds"], startup["failureThreshold"]) == (period, FAILURES)
    assert "tcpSocket" not in startup
