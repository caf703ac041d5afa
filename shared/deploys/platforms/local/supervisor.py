"""Requests to the supervisor of the embedded platform."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.platforms.base import StepContext
from shared.platform.calls.authorities import authorities
from shared.platform.errors import NotFound, TerminalError, TransientError

if TYPE_CHECKING:
    from httpx import AsyncClient, Response

POLL_SECONDS = 0.4
"""How long the supervisor may wait before it answers that nothing has changed."""
REQUEST_SECONDS = 60


@asynccontextmanager
async def client(url: str, token: str) -> AsyncGenerator[AsyncClient]:
    """Connections to the supervisor at this address, which knows the app by the token; closed at the end."""
    import httpx  # noqa: PLC0415 - loads in the activity that needs it

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False, verify=authorities()
    ) as http:
        yield http


async def poll(http: AsyncClient, path: str, step: StepContext, *, undo: tuple[str, str]) -> dict[str, Any]:
    """What is known by now, after up to POLL_SECONDS; `undo` is the request that ends it all.

    Raises:
        DeploymentCancelled: the deployment was cancelled, and what was begun is undone.
    """
    if await step.cancelled():
        await request(http, *undo)
        raise DeploymentCancelled
    return await request(http, "GET", path)


async def request(http: AsyncClient, method: str, path: str, **body: Any) -> dict[str, Any]:
    """What the supervisor answers.

    Raises:
        TransientError: it does not answer, or has failed (`platform-unavailable`).
        TerminalError: it refused, with the code that it gave.
    """
    import httpx  # noqa: PLC0415 - loads in the activity that needs it

    try:
        answer = await http.request(method, path, **body)
    except httpx.HTTPError as error:
        raise TransientError(
            f"The local platform did not answer at {http.base_url}: {type(error).__name__}.",
            code="platform-unavailable",
            remedy="Start it with `make up`, or set LOCAL_PLATFORM_URL.",
        ) from None
    if answer.is_success:
        return answer.json() if answer.content else {}
    raise _refusal(answer)


def _refusal(answer: Response) -> TransientError | TerminalError:
    if answer.is_server_error:
        return TransientError(f"The local platform answered {answer.status_code}.", code="platform-unavailable")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return TerminalError(
            "The local platform refused this app's token.",
            code="platform-refused",
            remedy="Set LOCAL_PLATFORM_TOKEN to the same value for both.",
        )
    problem: dict[str, str] = answer.json()
    kind = NotFound if answer.status_code == HTTPStatus.NOT_FOUND else TerminalError
    return kind(problem["message"], code=problem["code"])
