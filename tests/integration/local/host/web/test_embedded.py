"""The server that the host and the stand-ins share, over real sockets."""

import asyncio
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.host.web import bodies, embedded, requests
from local.host.web.embedded import EmbeddedServer, listen
from local.processes import LOOPBACK


async def hello(request):
    return PlainTextResponse("hello")


async def ask(port):
    async with httpx.AsyncClient() as http:
        return await http.get(f"http://{LOOPBACK}:{port}/")


async def test_it_serves_until_it_is_left_and_its_port_is_free_then():
    async with EmbeddedServer(Starlette(routes=[Route("/", hello)]), listen(LOOPBACK, 0)) as server:
        port = server.port
        assert (await ask(port)).text == "hello"
    listen(LOOPBACK, port).close()


@pytest.mark.parametrize("name", [None, "Date", "date", "DATE"])
async def test_an_answer_has_one_date_its_own_if_it_has_one(name):
    async def answer(request):
        return PlainTextResponse("hello", headers={name: "1"} if name else {})

    async with EmbeddedServer(Starlette(routes=[Route("/", answer)]), listen(LOOPBACK, 0)) as server:
        found = (await ask(server.port)).headers.get_list("date")
    if name:
        assert found == ["1"]
    else:
        [date] = found
        assert abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_lifespan_that_fails_is_an_error_of_the_start():
    @asynccontextmanager
    async def broken(app):
        raise ValueError("no database")
        yield

    server = EmbeddedServer(Starlette(lifespan=broken), listen(LOOPBACK, 0), lifespan=True)
    with pytest.raises(RuntimeError, match="did not start"):
        await server.start()
    await server.stop()


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nA: "]
)
async def test_a_client_that_keeps_its_headers_back_is_closed(monkeypatch, sent):
    monkeypatch.setattr(embedded, "HEADERS_SECONDS", 0.2)
    async with EmbeddedServer(Starlette(routes=[Route("/", hello)]), listen(LOOPBACK, 0)) as server:
        reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
        writer.write(sent)
        answers = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert (b"408 Request Timeout" in answers) == bool(sent)
        assert (b"hello" in answers) == (sent.count(b"GET") == 2)
        assert (await ask(server.port)).text == "hello"


async def test_a_body_that_comes_too_slowly_is_an_error_and_one_that_comes_is_read(monkeypatch):
    monkeypatch.setattr(bodies, "_GRACE_SECONDS", 0.1)
    seen = []

    async def read(scope, receive, send):
        try:
            seen.append(await requests.read_body(requests.Headers(scope=scope), bodies.bounded(receive), "f"))
        except bodies.BodyRefused:
            seen.append("too slow")
        await PlainTextResponse("read")(scope, receive, send)

    async with EmbeddedServer(read, listen(LOOPBACK, 0)) as server:
        for body in (b"ab", b"abcd"):
            reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n" + body)
            await asyncio.wait_for(reader.read(), 5)
            writer.close()
    assert seen == ["too slow", b"abcd"]


@pytest.mark.parametrize("reads", [False, True, "slowly"])
async def test_a_client_that_does_not_read_its_answer_is_closed_and_a_slow_one_is_not(monkeypatch, reads):
    """Slowly: it takes three times what it has to, of which the kernel has minutes in store."""
    monkeypatch.setattr(embedded, "READ_GRACE_SECONDS", 0.4)
    monkeypatch.setattr(embedded, "READ_BYTES_PER_SECOND", 100_000)
    size = 30_000_000

    async def large(request):
        return Response(b"x" * size)

    async with EmbeddedServer(Starlette(routes=[Route("/", large)]), listen(LOOPBACK, 0)) as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, (LOOPBACK, server.port))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if not reads:
                await asyncio.sleep(4)
            got = 0
            if reads == "slowly":
                for _ in range(40):
                    got += len(await asyncio.wait_for(loop.sock_recv(client, 30_000), 20))
                    await asyncio.sleep(0.1)
            try:
                while part := await asyncio.wait_for(loop.sock_recv(client, 1_000_000), 20):
                    got += len(part)
                    await asyncio.sleep(0.02 if reads else 0)
            except ConnectionResetError:
                pass
        assert (got > size) == bool(reads)
