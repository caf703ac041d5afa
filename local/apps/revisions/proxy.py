"""Where an app answers: one port for all its revisions, each request sent to the one that serves at that moment."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from local.apps.revisions.forwarded import NAMES, forwarded
from local.apps.revisions.revision import Revision
from local.apps.revisions.sockets import MESSAGE_BYTES, forward_socket
from local.host.web.embedded import EmbeddedServer, listen
from local.processes import LOOPBACK

_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_REPLACED = {name.encode() for name in NAMES}
_RETRY_SECONDS = 1.0


def make_client() -> httpx.AsyncClient:
    """A client that passes requests on as they are. It keeps no cookies: one visitor's would reach the next."""
    limits = httpx.Limits(max_connections=1_000, max_keepalive_connections=0)  # an app may end at any moment
    client = httpx.AsyncClient(
        timeout=httpx.Timeout(None, connect=5), limits=limits, trust_env=False, cookies=no_cookies()
    )
    client.headers.clear()
    return client


def no_cookies() -> CookieJar:
    """A jar that stays empty."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


async def forward(
    client: httpx.AsyncClient, revision: Revision | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer an HTTP request with what the revision answers; 503 where none can."""
    if revision is None or revision.port is None:
        await _unavailable("No revision of this app serves.")(scope, receive, send)
        return
    request = Request(scope, receive)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers = [(name, value) for name, value in request.headers.raw if name not in _HOP_BY_HOP | _REPLACED]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in forwarded(request)]
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    url = httpx.URL(f"http://{LOOPBACK}:{revision.port}").copy_with(raw_path=target)
    onward = client.build_request(request.method, url, headers=headers, content=request.stream() if has_body else None)
    with revision.in_use():
        try:
            answer = await client.send(onward, stream=True)
        except ClientDisconnect:
            return
        except httpx.HTTPError as error:
            await _unavailable(f"The app did not answer: {type(error).__name__}.")(scope, receive, send)
            return
        try:
            response = StreamingResponse(answer.aiter_raw(), answer.status_code)
            response.raw_headers = [
                (name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _HOP_BY_HOP
            ]
            with contextlib.suppress(httpx.HTTPError):  # it broke off: so does ours, short of its length
                await response(scope, receive, send)
        finally:
            await answer.aclose()


def _unavailable(why: str) -> PlainTextResponse:
    return PlainTextResponse(f"{why}\n", 503, {"Retry-After": "1"})


class Listener:
    """The port of one app, open until `close`."""

    def __init__(
        self, port: int, client: httpx.AsyncClient, serving: Callable[[], Revision | None], say: Callable[[str], None]
    ) -> None:
        self._port = port
        self._client = client
        self._serving = serving
        self._say = say
        self._server: EmbeddedServer | None = None
        self._opened = asyncio.Event()
        self._task = asyncio.create_task(self._open())

    async def opened(self) -> None:
        """Wait until it listens; not longer than a second, for a port that somebody else has may take its time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), 1)

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._server is not None:
            await self._server.stop()

    async def _open(self) -> None:
        bound = await self._bind()
        self._server = EmbeddedServer(self, bound, largest_message=MESSAGE_BYTES)
        await self._server.start()
        self._opened.set()

    async def _bind(self) -> socket.socket:
        logged = False
        while True:
            try:
                return listen(LOOPBACK, self._port)
            except OSError:
                if not logged:
                    self._say(f"Port {self._port} of an app is in use. It is opened as soon as it is free.")
                    logged = True
                await asyncio.sleep(_RETRY_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI app."""
        if scope["type"] == "websocket":
            await forward_socket(self._serving(), scope, receive, send)
        else:
            await forward(self._client, self._serving(), scope, receive, send)
