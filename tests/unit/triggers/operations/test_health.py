import json

import pytest

from shared.platform.errors import TransientError
from shared.platform.health import Check, Examiner
from shared.platform.settings import Settings, read_settings
from shared.platform.workload import Workload
from tests.fresh_settings import forget_settings
from triggers.operations import health


class Client:
    """A durable client whose host is there."""

    async def page(self, *, top): ...


class Away:
    async def page(self, *, top):
        raise TransientError("http://127.0.0.1:17071 refused", code="durable-unavailable")


async def fine(): ...


def load(monkeypatch, *probes, settings=None):
    """Let the app consist of one workload with these probes and settings."""
    workload = Workload(name="some", probes=probes, settings=settings)
    monkeypatch.setattr(health, "workloads", lambda: (workload,))


@pytest.fixture(autouse=True)
def dependencies(monkeypatch):
    monkeypatch.setattr("shared.platform.health.FRESH_SECONDS", 0)
    monkeypatch.setattr(health, "_examiner", Examiner())
    load(monkeypatch, Check("postgres", fine))


async def test_alive_asks_nothing(ask):
    answer = await ask(health.routes, "GET", "/health/live")
    assert (answer.status_code, json.loads(answer.get_body())) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
@pytest.mark.parametrize(
    ("client", "status", "body"),
    [(Client(), 200, {"status": "ready", "down": []}), (Away(), 503, {"status": "not-ready", "down": ["durable"]})],
)
async def test_readiness(ask, path, client, status, body):
    answer = await ask(health.routes, "GET", path, client=client)
    assert (answer.status_code, json.loads(answer.get_body())) == (status, body)


@pytest.mark.parametrize(("client", "status"), [(Client(), 200), (Away(), 503)])
async def test_a_load_balancer_asks_without_a_body(ask, client, status):
    answer = await ask(health.routes, "HEAD", "/health", client=client)
    assert (answer.status_code, answer.get_body()) == (status, b"")


async def test_details_name_every_dependency_and_no_internals(ask):
    answer = await ask(health.routes, "GET", "/health/detailed", client=Away())
    found = json.loads(answer.get_body())
    assert (answer.status_code, found["status"]) == (503, "not-ready")
    states = {d["name"]: (d["status"], d["error"]) for d in found["dependencies"]}
    assert states == {
        "settings": ("up", None),
        "postgres": ("up", None),
        "durable": ("down", "durable-unavailable"),
    }
    assert all(d["latency_ms"] >= 0 for d in found["dependencies"])
    assert b"127.0.0.1" not in answer.get_body()


class Wanting(Settings):
    """Settings of a workload, one of which nobody has set."""

    never_set: str


async def test_unusable_settings_are_what_is_down(ask, monkeypatch):
    forget_settings()
    load(monkeypatch, Check("blobs", fine, needed=lambda: bool(read_settings(Wanting).never_set)), settings=Wanting)
    answer = await ask(health.routes, "GET", "/health/detailed", client=Client())
    found = {d["name"]: (d["status"], d["error"]) for d in json.loads(answer.get_body())["dependencies"]}
    assert found == {"settings": ("down", "settings"), "durable": ("up", None)}


@pytest.mark.parametrize("needed", [True, False])
async def test_a_dependency_is_examined_where_it_is_used(ask, monkeypatch, needed):
    load(monkeypatch, Check("servicebus", fine, needed=lambda: needed))
    answer = await ask(health.routes, "GET", "/health/detailed", client=Client())
    names = [d["name"] for d in json.loads(answer.get_body())["dependencies"]]
    assert names == ["settings", *(["servicebus"] if needed else []), "durable"]
