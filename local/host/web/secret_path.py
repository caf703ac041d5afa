"""An application that is served below a path that only those know who are told it."""

import hmac
import secrets

from starlette.types import ASGIApp, Receive, Scope, Send

from local.host.web.answers import Answer, send_answer


class SecretPath:
    """The application below `/<key>/`; every other path is answered with 404."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.key = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass what is none on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, _, rest = scope["path"].removeprefix("/").partition("/")
        if not hmac.compare_digest(given.encode(errors="replace"), self.key.encode()):
            await send_answer(Answer(404), send)
            return
        raw = scope["raw_path"].removeprefix(f"/{self.key}".encode())
        await self._app({**scope, "path": f"/{rest}", "raw_path": raw}, receive, send)
