"""Azure Resource Manager over HTTP: with the app's identity, a time limit and retries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from shared.platform.calls.authorities import authorities
from shared.platform.calls.rate_limit import retry_after
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.credentials import credential
from shared.platform.errors import NotFound, TerminalError, TransientError
from shared.platform.settings import settings

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport, Response

Json = dict[str, Any]

TIMEOUT_SECONDS: Final = 30
BACKOFF: Final = Backoff(limit=90, first_delay=1, longest_delay=15, longest_wait=60)
BUSY: Final = "azure-busy"
BUSY_CODES: Final = ("InProgress", "Concurrent", "LockConflict")
"""Parts of the codes with which Azure says that it is at work on the resource: ContainerAppOperationInProgress,
ConflictingConcurrentWriteNotAllowed, ContainerAppLockConflict."""
OPERATION_FAILED: Final = "azure-operation-failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write was answered.

    Attributes:
        body: the resource, as far as it is known.
        operation: what `poll` takes while the work goes on; None: it is done. Signed, so neither logged nor kept.
    """

    body: Json
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """Whether a long-running operation has ended, and in how many seconds Azure wants to be asked again, if it says."""

    done: bool
    wait: float | None = None


class Refused(TerminalError):
    """Azure refused the request, and would again.

    Attributes:
        azure_code: Azure's own name of the reason.
    """

    code = "azure-refused"

    def __init__(self, message: str, *, azure_code: str, code: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.azure_code = azure_code


class ResourceManager:
    """The resources of one cloud. Paths are resource ids, which begin with a slash.

    It is the cloud that AZURE_MANAGEMENT_ENDPOINT names unless another `endpoint` is given, and is shown the app's
    identity unless `client_id` names another one. `token`, `transport` and `timing` are for tests.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        client_id: str | None = None,
        token: Callable[[], Awaitable[str]] | None = None,
        transport: AsyncBaseTransport | None = None,
        timing: Time | None = None,
    ) -> None:
        from httpx import AsyncClient  # noqa: PLC0415 - loads in the activity that needs it

        for name in ("httpx", "httpcore"):  # they log addresses and headers, and Azure hands out signed addresses
            logging.getLogger(name).setLevel(logging.WARNING)
        self._endpoint = (endpoint or settings().azure_management_endpoint).rstrip("/")
        self._client_id = client_id
        self._token = token or self._own_token
        self._time = timing or Time()
        self._http = AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport, verify=authorities())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def find(self, path: str, version: str) -> Json | None:
        """The resource; None if there is none."""
        try:
            return _json(await self._persist("GET", path, version))
        except NotFound:
            return None

    async def list(self, path: str, version: str) -> list[Json]:
        """The resources of a collection, all pages of it."""
        found: list[Json] = []
        page = _json(await self._persist("GET", path, version))
        while True:
            found += page.get("value", [])
            following = page.get("nextLink")
            if not following:
                return found
            page = _json(await self._persist("GET", self._own(following), None))

    async def put(self, path: str, version: str, body: Json) -> Answer:
        """Create the resource or make it be as given."""
        return self._answer(await self._persist("PUT", path, version, body))

    async def patch(self, path: str, version: str, body: Json) -> Answer:
        """Change what the body holds. Lists are replaced as a whole."""
        return self._answer(await self._persist("PATCH", path, version, body))

    async def post(
        self, path: str, version: str, body: Json | None = None, *, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Call an action of the resource that may be called twice.

        Raises:
            NotFound: there is no such resource.
        """
        return self._answer(await self._persist("POST", path, version, body, query))

    async def delete(self, path: str, version: str) -> Answer:
        """Delete the resource; what is not there is no error."""
        try:
            return self._answer(await self._persist("DELETE", path, version))
        except NotFound:
            return Answer({})

    async def poll(self, operation: str) -> Poll:
        """How far a long-running operation is.

        Raises:
            TerminalError: it failed (`azure-operation-failed`), with the reason that Azure gives.
        """
        try:
            answer = await self._persist("GET", operation, None)
        except NotFound:
            return Poll(done=True)  # operations are forgotten some time after their end
        body = _json(answer)
        status = str(body.get("status", ""))
        if status in ("Failed", "Canceled"):
            _, message = _error(body)
            raise TerminalError(
                f"Azure could not do it: {message or status}", code=OPERATION_FAILED, remedy="See the reason given."
            )
        ended = status == "Succeeded" if status else answer.status_code != HTTPStatus.ACCEPTED
        wait = retry_after(answer.headers.get("Retry-After"))
        return Poll(ended, None if wait is None else min(wait, BACKOFF.longest_wait))

    async def _persist(
        self,
        method: str,
        path: str,
        version: str | None,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """Send until it succeeds, as BACKOFF allows."""
        return await retry(lambda _: self._send(method, path, version, body, query), BACKOFF, self._time)

    async def _send(
        self, method: str, path: str, version: str | None, body: Json | None, query: Mapping[str, str] | None
    ) -> Response:
        from httpx import HTTPError  # noqa: PLC0415 - loads in the activity that needs it

        known: Any = self._endpoint + path if path.startswith("/") else path
        # An operation's address has its own query, which `params` would replace.
        given: Any = {"params": {"api-version": version, **(query or {})}} if version else {}
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await self._http.request(
                    method, known, json=body, headers={"Authorization": f"Bearer {await self._token()}"}, **given
                )
        except (HTTPError, TimeoutError) as error:
            raise TransientError(
                f"Azure did not answer: {type(error).__name__}.", code="azure-unavailable"
            ) from None  # the cause quotes signed addresses
        if answer.is_success:
            return answer
        raise _refusal(answer)

    async def _own_token(self) -> str:
        return (await credential(self._client_id).get_token(f"{self._endpoint}/.default")).token

    def _answer(self, answer: Response) -> Answer:
        operation = answer.headers.get("Azure-AsyncOperation") or (
            answer.headers.get("Location") if answer.status_code == HTTPStatus.ACCEPTED else None
        )
        return Answer(_json(answer), self._own(operation) if operation else None)

    def _own(self, url: str) -> str:
        """The address, if it is one of this cloud: a token is not sent anywhere else."""
        if urlsplit(url)[:2] != urlsplit(self._endpoint)[:2]:
            raise TerminalError("Azure named an address that is not its own.", code="azure-foreign-address")
        return url


def _refusal(answer: Response) -> Exception:
    status = answer.status_code
    code, message = _error(_json(answer))
    reason = f"{status} {code}: {message}".strip(" :")
    wait = retry_after(answer.headers.get("Retry-After"))
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(f"Azure has no such resource: {reason}", code="azure-not-found")
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT) or answer.is_server_error:
        return TransientError(f"Azure answered {reason}", code="azure-unavailable", retry_after=wait)
    if status == HTTPStatus.CONFLICT and any(word in code for word in BUSY_CODES):
        return TransientError(f"Azure is still busy with it: {reason}", code=BUSY, retry_after=wait)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Refused(
            f"Azure refused the app's identity: {reason}",
            azure_code=code,
            code="azure-forbidden",
            remedy="See that the app's identity has the roles that the Bicep gives it.",
        )
    return Refused(f"Azure refused: {reason}", azure_code=code, remedy="See the reason given.")


def _json(answer: Response) -> Json:
    try:
        body: object = answer.json()
    except ValueError:
        return {}
    return cast("Json", body) if isinstance(body, dict) else {}


def _error(body: Json) -> tuple[str, str]:
    """Code and message of an error as the resource manager words it; some of its providers leave out the envelope."""
    error: object = body.get("error", body)
    if not isinstance(error, dict):
        return "", ""
    known = cast("Json", error)
    return str(known.get("code", "")), str(known.get("message", ""))
