"""The app as the demo's operator sees it: over HTTP, with the admin key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from local.up import Stack


class DemoFailed(Exception):
    """The demo did not come to the end it promises; the message says why and where to look."""


class App:
    """The running app."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """GET the path, or POST the body to it, and give the answer's JSON.

        Raises:
            DemoFailed: the app refused, in its own words.
        """
        return _error_text(path, await (self._http.get(path) if body is None else self._http.post(path, json=body)))

    async def as_agent(self, token: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """As `ask`, but as the agent of the follow-ups whose token it is."""
        headers = {"Authorization": f"Bearer {token}"}
        sent = (
            self._http.get(path, headers=headers) if body is None else self._http.post(path, json=body, headers=headers)
        )
        return _error_text(path, await sent)

    async def deliver(self, path: str, data: bytes, media_type: str) -> Any:
        """POST the bytes and give the answer's JSON. Raises as `ask`."""
        return _error_text(path, await self._http.post(path, content=data, headers={"Content-Type": media_type}))

    async def click(self, path: str) -> None:
        """POST nothing, as a mailbox does to unsubscribe. Raises DemoFailed: the app refused."""
        answer = await self._http.post(path, headers={"X-Admin-Key": ""})
        if answer.is_error:
            raise DemoFailed(f"{path} answered {answer.status_code}.")

    async def download(self, path: str) -> bytes:
        """GET the path and give the answer's bytes. Raises DemoFailed: the app refused."""
        answer = await self._http.get(path)
        if answer.is_error:
            raise DemoFailed(f"{path} answered {answer.status_code}.")
        return answer.content

    async def upload(self, path: str, data: bytes) -> Any:
        """PUT the bytes and give the answer's JSON. Raises as `ask`."""
        return _error_text(path, await self._http.put(path, content=data))


def _error_text(path: str, answer: httpx.Response) -> Any:
    if answer.is_error:
        problem: dict[str, Any] = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        reason = " ".join(filter(None, (problem.get("detail"), problem.get("remedy")))) or answer.text
        raise DemoFailed(f"{path} answered {answer.status_code}: {reason}")
    return answer.json()


@asynccontextmanager
async def open_app(stack: Stack) -> AsyncGenerator[App]:
    """A client of the stack's app, ready to serve."""
    url = f"http://127.0.0.1:{stack.options.ports.host}"
    headers = {"X-Admin-Key": stack.settings["ADMIN_API_KEY"]}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        for _ in range(60):
            if (await http.get("/health/ready")).is_success:
                break
            await asyncio.sleep(0.5)
        else:
            raise DemoFailed(f"The app did not become ready: see {url}/health/detailed and {stack.logs}/host.log.")
        yield App(http)
