"""The front door: built-in routes first, then the app's functions, then the host's own page."""

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, cast

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from local.host.durable.sdk.functions import SYSTEM_KEY
from local.host.tools.admin import Admin, page
from local.host.web.answers import Answer
from local.host.web.http_triggers import decoded_path, offered_key, send_answer

if TYPE_CHECKING:
    from local.host.host import Host

_NO_HOMEPAGE = "AzureWebJobsDisableHomepage"
_ADMIN = "/admin/"
_NO_KEY = {"/admin/host/ping", "/admin/host/page"}
_WEBHOOKS = "/runtime/webhooks/"
_DURABLE = _WEBHOOKS + "durabletask"


class Front:
    """The ASGI application of the public port."""

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._admin = Admin(host)
        limit = host.host_json.number("extensions.http.maxOutstandingRequests", -1, minimum=-1)
        self._most_requests = limit if limit >= 0 else None
        together = host.host_json.number("extensions.http.maxConcurrentRequests", -1, minimum=-1)
        self._gate = asyncio.Semaphore(together) if together > 0 else contextlib.nullcontext()
        self._requests = 0
        section = host.host_json.section("extensions.http.customHeaders")
        self._headers = [(name.encode().lower(), str(value).encode()) for name, value in section.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = decoded_path(scope)
        lowered = path.lower()
        if lowered.startswith(_ADMIN):
            await self._administer(lowered, scope, receive, send)
            return
        if self._most_requests is not None and self._requests >= self._most_requests:
            await send_answer(Answer(429, [("x-function-scaleout", "1")]), send)
            return
        self._requests += 1
        try:
            async with self._gate:
                await self._serve(path, lowered, scope, receive, self._with_headers(send) if self._headers else send)
        finally:
            self._requests -= 1

    async def _serve(self, path: str, lowered: str, scope: Scope, receive: Receive, send: Send) -> None:
        if lowered.startswith(_WEBHOOKS):
            await self._webhook(path, scope, receive, send)
        elif await self._host.http.serve(path, scope, receive, send):
            return
        elif path == "/" and scope["method"] in {"GET", "HEAD"}:
            if os.environ.get(_NO_HOMEPAGE, "").lower() == "true":
                await send_answer(Answer(204), send)
            else:
                await (await page(Request(scope)))(scope, receive, send)
        else:
            await send_answer(Answer(404), send)

    async def _administer(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_cross_site(Headers(scope=scope)):
            await send_answer(Answer(403, body=b"The admin endpoints answer no page of another site."), send)
            return
        if self._host.options.enable_auth and path not in _NO_KEY:
            key = offered_key(Headers(scope=scope), scope)
            if not self._host.keys.opens_admin(key):
                await send_answer(Answer(401), send)
                return
        await self._admin.router({**scope, "path": scope["path"].rstrip("/")}, receive, send)

    async def _webhook(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        extension = self._host.extension
        if extension is None or not (path.lower() + "/").startswith(_DURABLE + "/"):
            await send_answer(Answer(404), send)
            return
        key = offered_key(Headers(scope=scope), scope)
        if self._host.options.enable_auth and not self._host.keys.opens_extension(key, SYSTEM_KEY):
            await send_answer(Answer(401), send)
            return
        inner = dict(scope)
        inner["root_path"] = scope.get("root_path", "") + _DURABLE
        inner["path"] = _DURABLE + scope["path"][len(_DURABLE) :]
        await extension.management(inner, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = cast("list[tuple[bytes, bytes]]", list(message["headers"]))
                present = {name.lower() for name, _ in headers}
                message["headers"] = [*headers, *(one for one in self._headers if one[0] not in present)]
            await send(message)

        return send_with_headers


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser sends this for a page of another site: any page could reach a port on this machine."""
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
