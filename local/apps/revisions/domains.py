"""Custom domains: requests that name one as their host are sent to its app, also on the port that browsers use."""

from __future__ import annotations

from typing import Final

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from local.apps.revisions.proxy import forward
from local.apps.revisions.serving import Serving
from local.apps.revisions.sockets import MESSAGE_BYTES, forward_socket
from local.host.web.embedded import EmbeddedServer, listen
from local.processes import LOOPBACK

USUAL_PORT: Final = 80
"""Where a browser looks for an address that names no port."""


class Domains:
    """Answers for the domains that are bound to apps.

    Args:
        port: of the platform itself, where they are answered too.
        client: asks the apps.
    """

    def __init__(self, serving: Serving, client: httpx.AsyncClient, port: int) -> None:
        self._serving = serving
        self._client = client
        self._port = port
        self._server: EmbeddedServer | None = None

    async def open(self, port: int) -> bool:
        """Listen on a port for domains alone; False where it is another's, or this user may not have it."""
        try:
            listening = listen(LOOPBACK, port)
        except OSError:
            return False
        self._server = EmbeddedServer(self, listening, largest_message=MESSAGE_BYTES)
        await self._server.start()
        self._port = port
        return True

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop()

    def url(self, domain: str) -> str:
        """Where the domain answers."""
        return f"http://{domain}" if self._port == USUAL_PORT else f"http://{domain}:{self._port}"

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer a request for a bound domain, and each WebSocket. False: it is no such request."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").partition(":")[0].lower()
        bound, revision = self._serving.bound(host)
        if scope["type"] == "websocket":
            await forward_socket(revision, scope, receive, send)
        elif bound:
            await forward(self._client, revision, scope, receive, send)
        return bound or scope["type"] == "websocket"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI app, on the port for domains."""
        if not await self.answer(scope, receive, send):
            await PlainTextResponse("No app has this domain.\n", 404)(scope, receive, send)
