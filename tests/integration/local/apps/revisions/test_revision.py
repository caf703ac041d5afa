"""A revision whose port is taken by another program before it listens there itself."""

from __future__ import annotations

import asyncio
import sys

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.apps.commands.logs import LogFile
from local.apps.commands.masking import Mask
from local.apps.commands.process import Command, ProcessLimits
from local.apps.revisions import revision as revisions
from local.apps.revisions.listening import is_foreign
from local.apps.revisions.proxy import make_client
from local.apps.revisions.revision import Health, Revision
from local.host.web.embedded import EmbeddedServer, listen
from local.processes import LOOPBACK, free_port
from tests.present import present

APP = """
import http.server, os, time
time.sleep(0.5)
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"mine")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""
ELSEWHERE = """
import os, socket, time
{listening}
time.sleep(60)
"""


@pytest.fixture
async def foreign():
    """A port where another program answers everything."""
    bound = listen(LOOPBACK, 0)
    app = Starlette(routes=[Route("/{path:path}", lambda _request: PlainTextResponse("foreign"))])
    server = EmbeddedServer(app, bound)
    await server.start()
    yield bound.getsockname()[1]
    await server.stop()


@pytest.fixture
def make(tmp_path):
    """Starts the app as a revision."""

    def start(client, app=APP, health_seconds=30.0) -> Revision:
        def command(port: int) -> Command:
            return Command(
                words=(sys.executable, "-c", app),
                folder=tmp_path,
                disk_of=tmp_path,
                environment={"PORT": str(port)},
                limits=ProcessLimits(memory=2**29),
                uid=None,
            )

        log = LogFile(tmp_path / "app.log", Mask(()), rotate=True)
        return Revision(
            command, log, client, proven=False, health_seconds=health_seconds, on_judged=lambda _health, _reason: None
        )

    return start


async def test_defect_another_program_on_its_port_is_taken_for_the_app(foreign, make, monkeypatch) -> None:
    ports = [foreign, free_port()]
    monkeypatch.setattr(revisions, "free_port", lambda: ports.pop(0))
    async with make_client() as client:
        revision = make(client)
        try:
            await revision.judged(20)
            assert (revision.health, ports) == (Health.HEALTHY, [])
            assert (await client.get(f"http://{LOOPBACK}:{revision.port}/")).text == "mine"
            await asyncio.sleep(0.5)
            assert (revision.health, await revision.complaint()) == (Health.HEALTHY, None)
            await present(revision._process).stop()
            assert await revision.complaint()
        finally:
            await revision.stop()


async def test_a_port_is_foreign_when_none_of_the_family_listens_there(foreign) -> None:
    process = await asyncio.create_subprocess_exec("sleep", "20")
    try:
        assert is_foreign(foreign, process.pid)
        assert not is_foreign(free_port(), process.pid)
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("listening", "said"),
    [
        ("one = socket.create_server(('127.0.0.1', {other}))", "and listens at 127.0.0.1:{other}"),
        ("one = socket.create_server(('', {other}))", "and listens at 0.0.0.0:{other}"),
        ("one = socket.create_server(('127.0.0.5', int(os.environ['PORT'])))", "and listens at 127.0.0.5:{port}"),
        (
            "one = socket.create_server(('::1', int(os.environ['PORT'])), family=socket.AF_INET6)",
            "and listens at [::1]:{port}",
        ),
        ("one = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))", None),  # it listens, and answers nothing
        ("", None),
    ],
)
async def test_the_error_of_an_app_that_listens_elsewhere_says_where(make, monkeypatch, listening, said) -> None:
    port, other = free_port(), free_port()
    monkeypatch.setattr(revisions, "free_port", lambda: port)
    async with make_client() as client:
        revision = make(client, ELSEWHERE.format(listening=listening.format(other=other)), health_seconds=2)
        try:
            await revision.judged(20)
            assert revision.health is Health.FAILED
            assert "it has to listen on the port in PORT" in revision.reason
            if said is None:
                assert "and listens at" not in revision.reason
            else:
                assert said.format(other=other, port=port) in revision.reason
        finally:
            await revision.stop()
