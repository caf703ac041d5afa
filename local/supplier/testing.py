"""What a supplier's adapter sends, answered by an ASGI app or a script instead of a server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
from aiohttp import ClientConnectionError, ClientSession


@dataclass
class Response:
    """What an aiohttp session gives, as far as the adapters look; `content` has the bytes as they were sent."""

    status: int
    headers: Mapping[str, str]
    content: Content


@dataclass
class Content:
    """The body."""

    response: httpx.Response

    def iter_any(self) -> AsyncIterator[bytes]:
        stream = self.response.stream  # not unpacked, unlike what the response itself gives
        assert isinstance(stream, httpx.AsyncByteStream)
        return aiter(stream)


class TransportSession:
    """Stands in for an aiohttp session: its requests go to a transport of httpx, an app's or a script's."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._http = httpx.AsyncClient(transport=transport)

    @asynccontextmanager
    async def request(
        self, method: str, url: str, *, allow_redirects: bool, **content: Any
    ) -> AsyncGenerator[Response]:
        assert not allow_redirects, "a supplier must not send its secret's bearer elsewhere"
        try:
            async with self._http.stream(method, url, **content) as response:
                yield Response(response.status_code, response.headers, Content(response))
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise ClientConnectionError(str(error)) from error

    async def close(self) -> None:
        await self._http.aclose()


def session_on(transport: httpx.AsyncBaseTransport) -> ClientSession:
    """An aiohttp session, as far as the adapters look, whose requests go to the transport."""
    return cast("ClientSession", TransportSession(transport))
