"""HTTP to a supplier: paced for the whole account, with a time limit and retries."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, TypeVar

from shared.diamonds.ingestion.suppliers.decoding import TOO_LARGE, decode, malformed
from shared.diamonds.ingestion.suppliers.trading import REFUSED
from shared.platform.calls.authorities import authorities
from shared.platform.calls.rate_limit import RateLimit, retry_after
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import ManifoldError, TerminalError, TransientError
from shared.platform.redaction import Redactor, redact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from aiohttp import ClientResponse, ClientSession

T = TypeVar("T")

CONNECTIONS = 50
RETRY_SECONDS = 90
"""How long one call may go on failing; beyond it the orchestration's own retries take over, which cost nothing."""
CHECK_SECONDS = 5.0
"""The same of a call that only sees whether the supplier answers."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 20.0
THROTTLED = "supplier-throttled"
CREDENTIALS = "supplier-credentials"
TOKEN_REFUSED = "token-refused"  # noqa: S105 - the code of an error
UNREACHABLE = "supplier-unreachable"
"""No connection was made: the supplier has not seen the request."""
SHOWN_CHARACTERS = 300
MOST_BYTES = 16_000_000
"""Of one answer once it is unpacked; a page of 200 diamonds has about half a million."""
UNPACKED = ("", "identity")
"""All else is gzip, and once: packed twice, 400 bytes are 400 million."""

MOST_COUNTED = 100_000_000
"""Diamonds that a supplier can have; half a million are many."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a supplier sent, with a status of success or 401."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body's content; raises ValueError if it is no JSON."""
        return decode(self.body)


def open_session() -> ClientSession:
    """aiohttp, which the durable SDK loads anyway, spends half of httpx's CPU time on a page of diamonds."""
    from aiohttp import ClientSession, DummyCookieJar, TCPConnector  # noqa: PLC0415 - loads in the activity that needs it

    return ClientSession(
        connector=TCPConnector(limit=CONNECTIONS, keepalive_timeout=60, ssl=authorities()),
        cookie_jar=DummyCookieJar(),
        headers={"Accept-Encoding": "gzip"},
        auto_decompress=False,  # it would unpack without a bound
        trust_env=True,
    )


class Client:
    """HTTP to one account of one supplier; open between `async with` and its end. `secret` never shows in an error."""

    def __init__(
        self,
        name: str,
        limit: RateLimit,
        timeout_seconds: float,
        *,
        secret: str = "",
        session: Callable[[], ClientSession] = open_session,
        timing: Time | None = None,
    ) -> None:
        self._name = name
        self._limit = limit
        self._timeout = timeout_seconds
        self._secrets = {secret} - {""}
        self._time = timing or Time()
        # Who waits for a connection must do so before its turn comes, not after: turns that wait would go out together.
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._open = session
        self._http: ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def persist(self, attempt: Callable[[float], Awaitable[T]], seconds: float = RETRY_SECONDS) -> T:
        """Call `attempt` until it succeeds; give up when its TransientErrors have gone on for `seconds`.

        `attempt` gets the seconds that are left, to pass on to `post`. Between attempts lies what the supplier asked
        for (THROTTLED: for everyone who uses the account), else a growing random delay.
        """

        async def pause_everyone(error: TransientError, wait: float) -> bool:
            if error.code != THROTTLED:
                return False
            await self._limit.pause(wait)
            return True

        backoff = Backoff(limit=seconds, first_delay=FIRST_DELAY, longest_delay=LONGEST_DELAY)
        return await retry(attempt, backoff, self._time, waits_elsewhere=pause_everyone)

    async def post(self, url: str, max_wait_seconds: float, *, headers: dict[str, str], json: dict[str, Any]) -> Answer:
        """Post JSON; see `_send`."""
        return await self._send("POST", url, max_wait_seconds, headers=headers, json=json)

    async def get(
        self, url: str, max_wait_seconds: float, *, headers: dict[str, str], params: dict[str, str]
    ) -> Answer:
        """Get what the query asks for; see `_send`."""
        return await self._send("GET", url, max_wait_seconds, headers=headers, params=params)

    async def _send(self, method: str, url: str, max_wait_seconds: float, **content: Any) -> Answer:
        """One request when its turn comes, if that is within `max_wait_seconds`. Answers 401 and 2xx are returned.

        Raises:
            TransientError: no connection (code UNREACHABLE), no answer, 408, 429 (code THROTTLED) or 5xx.
            TerminalError: any other answer.
        """
        from aiohttp import ClientConnectorError, ClientError  # noqa: PLC0415 - loads in the activity that needs it

        if self._http is None:
            self._http = self._open()
        request = self._http.request
        async with self._connections:
            await self._limit.turn(max_wait_seconds)
            try:
                async with asyncio.timeout(self._timeout):
                    async with request(method, url, allow_redirects=False, **content) as response:
                        status, headers = response.status, response.headers
                        packed = await self._read(response)
            except TimeoutError as error:
                raise self._unavailable(f"did not answer within {self._timeout:g} s") from error
            except ClientConnectorError as error:
                raise TransientError(
                    f"The supplier {self._name} could not be reached: {type(error).__name__}.", code=UNREACHABLE
                ) from error
            except ClientError as error:
                raise self._unavailable(f"could not be reached: {type(error).__name__}") from error
        body = self._unpacked(packed, headers.get("Content-Encoding", "").lower())
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.UNAUTHORIZED:
            return Answer(status, body)
        raise self._failure(status, headers, body)

    async def _read(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > MOST_BYTES:
                raise self._too_large(f"has more than {MOST_BYTES:,} bytes")
        return bytes(body)

    def _unpacked(self, body: bytes, encoding: str) -> bytes:
        if encoding in UNPACKED:
            return body
        if encoding != "gzip":
            raise self._too_large("is packed in a way that was not asked for")
        gzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            unpacked = gzip.decompress(body, MOST_BYTES)
        except zlib.error as error:
            raise self._unavailable("sent an answer that cannot be unpacked") from error
        if gzip.unconsumed_tail:
            raise self._too_large(f"has more than {MOST_BYTES:,} bytes")
        if not gzip.eof:
            raise self._unavailable("broke off its answer")
        return unpacked

    def _failure(self, status: int, headers: Mapping[str, str], body: bytes) -> ManifoldError:
        wait = retry_after(headers.get("Retry-After"))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return TransientError(
                f"The supplier {self._name} was asked too often.",
                code=THROTTLED,
                retry_after=wait,
                remedy="If this is frequent, lower the requests per second in the supplier's settings.",
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            return self._unavailable(f"answered {status}", wait)
        return TerminalError(
            f"The supplier {self._name} refused a request with {status}: {self.quote(body.decode(errors='replace'))}.",
            code=REFUSED,
            remedy="Check the supplier's address in the settings, and whether its API has changed.",
        )

    def quote(self, text: str) -> str:
        """The supplier's words for an error message, without the secrets of a request that it may quote."""
        return redact(Redactor(self._secrets)(text))[:SHOWN_CHARACTERS]

    def hide(self, secret: str) -> None:
        """Never show this in an error: a token that the supplier gave out."""
        self._secrets = {*self._secrets, secret}

    def _too_large(self, what: str) -> TerminalError:
        return TerminalError(
            f"An answer of the supplier {self._name} {what}.",
            code=TOO_LARGE,
            remedy="Ask the supplier why; the partition can be read again with retry-workers.",
        )

    def _unavailable(self, what: str, wait: float | None = None) -> TransientError:
        return TransientError(f"The supplier {self._name} {what}.", code="supplier-unavailable", retry_after=wait)


def counted(name: str, count: int) -> int:
    """The supplier's count, if it can be one.

    Raises:
        TransientError: it is below zero or over MOST_COUNTED.
    """
    if isinstance(count, bool) or not 0 <= count <= MOST_COUNTED:
        raise malformed(f"The supplier {name}", f"a count of {count} diamonds")
    return count
