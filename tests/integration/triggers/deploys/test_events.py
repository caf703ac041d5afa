"""The log as server-sent events: bounded answers that go on where the last one ended."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import azure.functions as func
import pytest

from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus
from shared.deploys.platforms.base import AppLogPart
from shared.deploys.requests import log_events
from shared.deploys.running.logs import DeploymentLog
from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import Caller
from shared.platform.redaction import Redactor
from tests.integration.shared.deploys.conftest import ADMIN
from triggers.deploys import events

ROUTES = {one.name: one for one in events.routes.operations}


@pytest.fixture(autouse=True)
def _storage(storage):
    """The log is a blob."""


async def ask(deployment: str, last: str | None = None, what: str = "logs") -> SimpleNamespace:
    headers = {**ADMIN, **({"Last-Event-ID": last} if last else {})}
    url = f"http://localhost/deploy/{deployment}/{what}/events"
    request = func.HttpRequest("GET", url, headers=headers, route_params={"id": deployment}, body=b"")
    nobody = SimpleNamespace(_orchestration_bindings=SimpleNamespace(rpc_base_url="http://127.0.0.1:9/"))
    answer = await ROUTES["deploys_log_events" if what == "logs" else "deploys_app_log_events"].answer(request, nobody)
    text = answer.get_body().decode()
    fields = [line.partition(": ") for line in text.splitlines() if line]
    return SimpleNamespace(
        status=answer.status_code,
        kind=answer.mimetype,
        text=text,
        id=next((value for name, _, value in fields if name == "id"), None),
        lines=[value.partition(" ")[2] for name, _, value in fields if name == "data"],
    )


async def write(deployment, *lines: str) -> None:
    log = DeploymentLog(deployment.organization_id, deployment.id, Redactor(()))
    await log.write_last("\n".join(lines))


@pytest.fixture
def looks(monkeypatch):
    """Waits until a request has looked for new lines, and found none, so many times."""
    found, real = asyncio.Queue(), asyncio.sleep

    async def sleep(seconds):
        found.put_nowait(seconds)
        await real(seconds)

    monkeypatch.setattr(log_events, "asyncio", SimpleNamespace(sleep=sleep))

    async def looks(times):
        for _ in range(times):
            await asyncio.wait_for(found.get(), 60)

    return looks


async def test_a_client_that_comes_back_gets_each_line_once_and_then_the_end(new, looks) -> None:
    written = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE))
    await write(written, "one", "two ü")
    first = await ask(written.id)
    assert (first.status, first.lines) == (200, ["one", "two ü"])
    assert first.kind.startswith("text/event-stream")
    waiting = asyncio.create_task(ask(written.id, first.id))
    await looks(2)
    assert not waiting.done()
    await write(written, "three")
    second = await waiting
    assert second.lines == ["three"]
    await store.change(
        written.id,
        written.organization_id,
        lambda one, now: one.model_copy(update={"status": DeploymentStatus.COMPLETED, "completed_at": now}),
    )
    last = await ask(written.id, second.id)
    assert "event: end\n" in last.text
    assert '{"status": "completed"}' in last.text
    assert (await ask(written.id, last.id)).status == 204


async def test_an_answer_has_a_bound(new) -> None:
    written = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE))
    await write(written, *(f"{number:04} {'x' * 995}" for number in range(100)))
    first = await ask(written.id)
    assert 60_000 < len(first.text) < 68_000
    second = await ask(written.id, first.id)
    assert [line[:4] for line in first.lines + second.lines] == [f"{number:04}" for number in range(100)]


@pytest.mark.parametrize("last", ["x", "-1", "1-else", "9" * 13])
async def test_an_id_that_is_none_is_refused(new, last) -> None:
    written = await store.create(new())
    assert (await ask(written.id, last)).status == 400


@pytest.mark.parametrize("what", ["logs", "app-log"])
async def test_another_organization_s_log_is_not_found(new, app, monkeypatch, what) -> None:
    written = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE))
    assert (await ask(written.id, what=what, last="0-end")).status == 204

    async def authenticate(self, request):
        return Caller("client", frozenset({"deploys:read"}), "stranger")

    monkeypatch.setattr(ApiKey, "authenticate", authenticate)
    assert (await ask(written.id, what=what, last="0-end")).status == 404


@pytest.fixture
def app(monkeypatch) -> SimpleNamespace:
    """An app that runs and has written these lines; what it was asked for."""
    known = SimpleNamespace(lines=["one", "two"], runs=True)

    class Platform:
        async def log_from(self, _spec, cursor):
            if not known.runs:
                return None
            text = "".join(f"{line}\n" for line in known.lines[int(cursor or 0) :])
            return AppLogPart(text=text, cursor=str(len(known.lines)))

    monkeypatch.setattr(log_events, "platform", Platform)
    return known


async def test_what_an_app_writes_is_followed_until_it_does_not_run(new, app, looks) -> None:
    written = await store.create(new(status=DeploymentStatus.COMPLETED))
    first = await ask(written.id, what="app-log")
    assert (first.status, first.id, "data: one\ndata: two\n" in first.text) == (200, "2", True)
    waiting = asyncio.create_task(ask(written.id, first.id, "app-log"))
    await looks(2)
    assert not waiting.done()
    app.lines.append("three")
    assert "data: three\n" in (await waiting).text
    app.runs = False
    last = await ask(written.id, "3", "app-log")
    assert "event: end\n" in last.text
    assert (await ask(written.id, last.id, "app-log")).status == 204
    assert (await ask(written.id, "x", "app-log")).status == 400
