"""The front door: built-in routes first, then the app's functions, then the host's own page."""

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from local.host.answers import Answer
from local.host.durable_glue import SYSTEM_KEY
from local.host.http import decoded_path, offered_key, send_answer

if TYPE_CHECKING:
    from local.host.host import Host

_WEBHOOKS = "/runtime/webhooks/"
_DURABLE = _WEBHOOKS + "durabletask"


class Front:
    """The ASGI application of the public port."""

    def __init__(self, host: "Host") -> None:
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = decoded_path(scope)
        lowered = path.lower()
        if lowered.startswith(_WEBHOOKS):
            await self._webhook(path, scope, receive, send)
        elif await self._host.http.serve(scope, receive, send):
            return
        else:
            await send_answer(Answer(404), send)

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
