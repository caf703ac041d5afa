"""The public port: which part of the host answers a request, and how many requests it takes at once."""

import asyncio
import contextlib
import os
from typing import cast

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.host.core.errors import ConfigurationError
from local.host.core.logs import host_log
from local.host.settings.host_json import HostJson
from local.host.web.answers import Answer, send_answer
from local.host.web.bodies import TOO_SLOW, BodyRefused, bounded
from local.host.web.http_triggers import HttpTriggers
from local.host.web.keys import KeyStore
from local.host.web.requests import decoded_path, offered_key
from local.host.web.routing.route_table import RouteTable

_NO_HOMEPAGE = "AzureWebJobsDisableHomepage"
_ADMIN = "/admin/"
_NO_KEY = {"/admin/host/ping", "/admin/host/page"}
_WEBHOOKS = "/runtime/webhooks/"


class Front:
    """The ASGI application of the public port. Built-in endpoints come first, then the functions, then the homepage."""

    def __init__(
        self,
        routes: RouteTable,
        functions: HttpTriggers,
        keys: KeyStore | None,
        *,
        host_json: HostJson,
        admin: ASGIApp,
        homepage: ASGIApp,
    ) -> None:
        """`keys` None needs no key."""
        self.webhooks: dict[str, ASGIApp] = {}
        """Extensions by the name under /runtime/webhooks; each has the system key `<name>_extension`."""
        self._routes = routes
        self._functions = functions
        self._keys = keys
        self._admin = admin
        self._homepage = homepage
        limit = host_json.number("extensions.http.maxOutstandingRequests", -1, minimum=-1)
        self._most_requests = limit if limit >= 0 else None
        together = host_json.number("extensions.http.maxConcurrentRequests", -1, minimum=-1)
        self._gate = asyncio.Semaphore(together) if together > 0 else contextlib.nullcontext()
        self._requests = 0
        section = host_json.section("extensions.http.customHeaders")
        self._headers = [(name.encode().lower(), str(value).encode()) for name, value in section.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = decoded_path(scope)
        try:
            await self._admit(path, scope, bounded(receive), send)
        except BodyRefused as refused:
            status = refused.status_code
            why = "came too slowly" if status == TOO_SLOW else "is too large"
            host_log.warning("The body of a request to %s %s: it is answered %d.", path, why, status)
            await send_answer(Answer(status, [("connection", "close")]), send)

    async def _admit(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
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
                await self._answer(path, scope, receive, self._with_headers(send) if self._headers else send)
        finally:
            self._requests -= 1

    async def _answer(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path.lower().startswith(_WEBHOOKS):
            await self._webhook(path, scope, receive, send)
        elif (match := self._routes.find(scope["method"], path)) is not None:
            await self._functions.run(match, scope, receive, send)
        elif path == "/" and scope["method"] in {"GET", "HEAD"}:
            if os.environ.get(_NO_HOMEPAGE, "").lower() == "true":
                await send_answer(Answer(204), send)
            else:
                await self._homepage(scope, receive, send)
        else:
            await send_answer(Answer(404), send)

    async def _administer(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if _is_cross_site(headers):
            await send_answer(Answer(403, body=b"The admin endpoints answer no page of another site."), send)
        elif self._keys is not None and path not in _NO_KEY and not self._keys.opens_admin(offered_key(headers, scope)):
            await send_answer(Answer(401), send)
        else:
            await self._admin({**scope, "path": scope["path"].rstrip("/")}, receive, send)

    async def _webhook(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        name = path[len(_WEBHOOKS) :].partition("/")[0].lower()
        extension = self.webhooks.get(name)
        if extension is None:
            await send_answer(Answer(404), send)
            return
        key = offered_key(Headers(scope=scope), scope)
        if self._keys is not None and not self._keys.opens_extension(key, f"{name}_extension"):
            await send_answer(Answer(401), send)
            return
        mount = _WEBHOOKS + name
        inner = {
            **scope,
            "root_path": scope.get("root_path", "") + mount,
            "path": mount + scope["path"][len(mount) :],
        }
        await extension(inner, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = cast("list[tuple[bytes, bytes]]", list(message["headers"]))
                present = {name.lower() for name, _ in headers}
                message["headers"] = [*headers, *(one for one in self._headers if one[0] not in present)]
            await send(message)

        return send_with_headers


def with_cors(app: ASGIApp, origins: str, *, credentials: bool) -> ASGIApp:
    """Let pages of these origins (divided by commas) call; none for an empty text. Raises ConfigurationError."""
    if not origins:
        return app
    if credentials and "*" in origins.split(","):
        raise ConfigurationError("CORS: '*' cannot go with credentials. Name the origins, or drop CORSCredentials.")
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - few apps set CORS

    return CORSMiddleware(
        app,
        allow_origins=origins.split(","),
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=credentials,
    )


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser sends this for a page of another site: any page could reach a port on this machine."""
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
