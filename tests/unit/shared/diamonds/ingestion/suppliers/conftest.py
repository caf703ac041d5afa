"""A Nivoda that answers from a script, on a clock that only waiting moves."""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from local.supplier.testing import session_on
from shared.diamonds.ingestion.suppliers.nivoda import Account, Nivoda
from shared.diamonds.runs.models import PriceRange, Window
from shared.platform.calls.retry import Time
from shared.platform.errors import TransientError

PASSWORD = "correct horse"


@dataclass
class Clock:
    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Limit:
    """The account's pace on the test's clock."""

    clock: Clock
    resume_at: float = 0.0
    turns: int = 0
    pauses: list[float] = field(default_factory=list)

    async def turn(self, max_wait_seconds: float) -> None:
        wait = self.resume_at - self.clock.now
        if wait > max_wait_seconds:
            raise TransientError("paused", code="account-paused", retry_after=wait)
        self.clock.now += max(wait, 0)
        self.turns += 1

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.resume_at = max(self.resume_at, self.clock.now + seconds)


Answer = httpx.Response | Exception | Callable[[dict[str, Any]], httpx.Response]


def data(**content: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": content})


@dataclass
class Script:
    """Gives out tokens t1, t2, ... and, to everything else, the answers of the script in turn."""

    answers: list[Answer] = field(default_factory=list)
    logins: list[Answer] = field(default_factory=list)
    tokens: int = 0
    requests: list[httpx.Request] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if "username_and_password" in body["query"]:
            return self._play(self.logins.pop(0) if self.logins else self._token, body)
        self.requests.append(request)
        self.asked.append(body)
        return self._play(self.answers.pop(0), body)

    def _play(self, answer: Answer, body: dict[str, Any]) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer(body) if callable(answer) else answer

    def _token(self, _: dict[str, Any]) -> httpx.Response:
        self.tokens += 1
        return data(authenticate={"username_and_password": {"token": f"t{self.tokens}"}})


WINDOW = Window(
    since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 2, 4, tzinfo=timezone(timedelta(hours=2)))
)
PRICES = PriceRange(minimum=100, maximum=200)


def counted(number: int) -> httpx.Response:
    return httpx.Response(200, json={"data": {"diamonds_by_query_count": number}})


def paged(*items: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": {"diamonds_by_query": {"items": list(items)}}})


def error(code: str | None, message: str = "no", status: int = 200) -> httpx.Response:
    extensions = {"extensions": {"code": code}} if code else {}
    return httpx.Response(status, json={"data": None, "errors": [{"message": message, **extensions}]})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limit(clock: Clock) -> Limit:
    return Limit(clock)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def nivoda(script: Script, clock: Clock, limit: Limit) -> AsyncGenerator[Nivoda]:
    async with Nivoda(
        Account("https://nivoda.test/graphql", "me@example.com", PASSWORD),
        limit,
        session=lambda: session_on(httpx.MockTransport(script)),
        timing=Time(lambda: clock.now, clock.sleep, lambda: 1.0),
    ) as opened:
        yield opened
