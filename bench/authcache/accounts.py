"""A profile over HTTP, and a log-in beside the password hash that it has to compute, on the local host.

Each log-in has one check of the same hash in this process beside it, now before and now after it, so that both meet the
same machine and caches; what a log-in takes beyond the hash is the difference of the medians. The seed's figures are
what its own plan claims.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from bench.report import comparison, console
from local.up import Options, Ports, stack
from shared.platform.access.passwords.kinds import CURRENT, new_hash, verify

PASSWORD = secrets.token_urlsafe(12)
ROWS = 500
WARM_UP = 30
PATIENCE = 600
"""Halves of a second."""


def main(*, quick: bool) -> None:
    asyncio.run(_measure(2_000 if quick else 20_000, 200 if quick else 1_000, 20 if quick else 60))


async def _measure(users: int, profiles: int, logins: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options = Options(ports=Ports.free(), folder=Path(folder), supplier_flags=("--diamonds", "300"))
        async with stack(options) as running:
            base = f"http://127.0.0.1:{running.options.ports.host}"
            admin = {"X-Admin-Key": running.settings["ADMIN_API_KEY"]}
            async with httpx.AsyncClient(base_url=base, headers=admin, timeout=60) as http:
                await _ready(http)
                await _fill(http, users)
                await _report(http, profiles, logins)


async def _ready(http: httpx.AsyncClient) -> None:
    for _ in range(PATIENCE):
        if (await http.get("/health/ready")).is_success:
            return
        await asyncio.sleep(0.5)
    raise RuntimeError("The app did not become ready.")


async def _fill(http: httpx.AsyncClient, users: int) -> None:
    stored = new_hash("another")
    for first in range(0, users, ROWS):
        rows = [
            {"email": f"u{number}@example.com", "first_name": "U", "last_name": "V", "password_hash": stored}
            for number in range(first, first + ROWS)
        ]
        (await http.post("/api/v1/admin/users/import", json={"users": rows})).raise_for_status()
    (await http.post("/api/v1/health/cache/sync")).raise_for_status()
    for _ in range(PATIENCE):
        if (await http.get("/api/v1/health/cache")).json()["cache"]["local"]:
            return
        await asyncio.sleep(0.5)
    raise RuntimeError("The users were not folded.")


async def _report(http: httpx.AsyncClient, profiles: int, logins: int) -> None:
    given = {"email": "ann@example.com", "password": PASSWORD, "first_name": "Ann", "last_name": "Lee"}
    answer = await http.post("/api/v1/auth/register", json=given)
    answer.raise_for_status()
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def profile() -> None:
        (await http.get("/api/v1/users/me", headers=bearer)).raise_for_status()

    async def nothing() -> None:
        (await http.get("/health/live")).raise_for_status()

    async def login() -> None:
        body = {"email": "ann@example.com", "password": PASSWORD}
        (await http.post("/api/v1/auth/login", json=body)).raise_for_status()

    stored = new_hash(PASSWORD)

    async def the_hash() -> None:
        assert await asyncio.to_thread(verify, CURRENT, PASSWORD, stored)

    for _ in range(WARM_UP):
        await profile()
    await login()
    both = [(await _timed(profile), await _timed(nothing)) for _ in range(profiles)]
    shown, bare = [one for one, _ in both], [one for _, one in both]
    entered: list[float] = []
    hashed: list[float] = []
    both_ways = [(login, entered), (the_hash, hashed)]
    for _ in range(logins):
        random.shuffle(both_ways)
        for what, taken in both_ways:
            taken.append(await _timed(what))
    over = statistics.median(entered) - statistics.median(hashed)
    table = comparison("Over HTTP on the local host", ("", "median", "p99", "goal", "the seed claims"))
    table.add_row("profile", _ms(statistics.median(shown)), _ms(_p99(shown)), "2 ms", "200 ms, with its cache 5 ms")
    table.add_row("a route that reads nothing", _ms(statistics.median(bare)), _ms(_p99(bare)), "", "")
    table.add_row(
        "log-in", _ms(statistics.median(entered)), _ms(_p99(entered)), "", "400 ms, with its cache 100 ms (bcrypt)"
    )
    table.add_row("the hash alone, here", _ms(statistics.median(hashed)), _ms(_p99(hashed)), "", "")
    table.add_row("log-in less the hash", _ms(over), "", "1 ms", "")
    console.print(table)


async def _timed(what: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await what()
    return time.perf_counter() - began


def _p99(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99)]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
