"""WebSockets to an app: each is with the revision that served when it was opened, until one of its two ends closes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from local.apps.revisions.forwarded import NAMES, forwarded
from local.apps.revisions.revision import Revision
from local.processes import LOOPBACK

MESSAGE_BYTES = 16 * 2**20
_OPEN_SECONDS = 5
_OWN = ("connection", "upgrade", "host", "content-length", "transfer-encoding")
"""Headers of one hop, which the other has its own of; so has it those that begin with sec-websocket."""
_GONE, _NO_STATUS, _ABNORMAL = 1001, 1005, 1006


async def forward_socket(revision: Revision | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Open a WebSocket to the revision and pass on what either side says; 503, or its refusal, where it opens none."""
    client = WebSocket(scope, receive, send)
    if revision is None or revision.port is None:
        await client.send_denial_response(PlainTextResponse("No revision of this app serves.\n", 503))
        return
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    named = client.headers.get("host", LOOPBACK)  # apps compare it with the origin
    opening = connect(
        f"ws://{named}{scope['raw_path'].decode('latin-1')}{query}",
        host=LOOPBACK,
        port=revision.port,
        additional_headers=_headers(client),
        subprotocols=[Subprotocol(one) for one in cast("list[str]", scope["subprotocols"])] or None,
        open_timeout=_OPEN_SECONDS,
        max_size=MESSAGE_BYTES,
        compression=None,
        proxy=None,
    )
    with revision.in_use():
        try:
            app = await opening
        except InvalidStatus as refusal:
            answer = refusal.response
            await client.send_denial_response(Response(bytes(answer.body or b""), answer.status_code))
            return
        except (OSError, TimeoutError, WebSocketException) as error:
            text = f"The app opened no WebSocket: {type(error).__name__}.\n"
            await client.send_denial_response(PlainTextResponse(text, 503))
            return
        async with app:
            await client.accept(app.subprotocol)
            await _talk(client, app)


async def _talk(client: WebSocket, app: ClientConnection) -> None:
    """Until one side closes; then the other is closed, too."""
    ways = {asyncio.create_task(_to_app(client, app)), asyncio.create_task(_to_client(app, client))}
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)


async def _to_app(client: WebSocket, app: ClientConnection) -> None:
    with suppress(ConnectionClosed):  # which the other way tells the client
        while (message := await client.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await app.send(message["bytes"] if text is None else text)
        await app.close(_sayable(message.get("code")), message.get("reason") or "")


async def _to_client(app: ClientConnection, client: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the client has gone
        with suppress(ConnectionClosed):
            async for message in app:
                await (client.send_text(message) if isinstance(message, str) else client.send_bytes(message))
        await client.close(_sayable(app.close_code), app.close_reason or "")


def _headers(client: WebSocket) -> list[tuple[str, str]]:
    passed = [(name, value) for name, value in client.headers.items() if name not in {*_OWN, *NAMES}]
    return [
        *((name, value) for name, value in passed if not name.startswith("sec-websocket")),
        *forwarded(client),
    ]


def _sayable(code: int | None) -> int:
    """The code to close with: two of them only mean that the other side sent none."""
    return _GONE if code in (None, _ABNORMAL) else 1000 if code == _NO_STATUS else code
