"""The act of the auth cache: 100,000 users are folded, and a user's day goes over two hosts that share blobs alone."""

from __future__ import annotations

import asyncio
import re
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from local.demo.client import App, DemoFailed
from local.demo.second_host import second_host
from local.up import Stack

USERS, ROWS = 100_000, 500
FOLD_SECONDS = 300
SETTINGS = {"AUTHCACHE_GROUP_RECORDS": "5000"}
# A password that nobody knows: who logs in registers below.
HASH = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"
# Milliseconds that the replaced backend claims, without its cache and with it.
SEED = {"Log in": (400, 100), "Profile": (200, 5), "Share check": (300, 1)}


@dataclass
class Person:
    """Somebody who has logged in, at one host."""

    http: httpx.AsyncClient
    email: str
    token: str
    lsn: int

    async def ask(self, method: str, path: str, body: Any = None, *, expected: int = 200, at: int = 0) -> Any:
        """The JSON of the answer. Raises DemoFailed: another status was answered than expected."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Admin-Key": ""} | ({"X-Lsn": str(at)} if at else {})
        answer = await self.http.request(method, f"/api/v1{path}", json=body, headers=headers)
        if answer.status_code != expected:
            raise DemoFailed(f"{method} {path} answered {answer.status_code} and not {expected}: {answer.text[:300]}")
        self.lsn = int(answer.headers.get("x-lsn", self.lsn))
        return answer.json() if answer.content else None


@dataclass
class Timings:
    """What each step took."""

    taken: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    async def of(self, name: str, what: Callable[[], Awaitable[Any]], times: int = 1) -> Any:
        """Do it so many times, and keep how long each took; what the last gave."""
        found: Any = None
        for _ in range(times):
            began = time.perf_counter()
            found = await what()
            self.taken.setdefault(name, []).append(time.perf_counter() - began)
        return found


async def run(stack: Stack, app: App, console: Console) -> None:
    """Fill the cache, and play the day.

    Raises:
        DemoFailed: something is seen that must not be, or is not seen that must.
    """
    console.print(f"\nAuth cache: {USERS:,} users, two hosts, and nothing but blobs between them.")
    here = f"http://127.0.0.1:{stack.options.ports.host}"
    admin = {"X-Admin-Key": stack.settings["ADMIN_API_KEY"]}
    async with (
        second_host(stack) as (second, _),
        httpx.AsyncClient(base_url=here, headers=admin, timeout=120) as one,
        httpx.AsyncClient(base_url=second.service.address, headers=admin, timeout=120) as other,
    ):
        await _fill(app, (one, other), console)
        timings = Timings()
        await _day(stack, (one, other), timings)
        console.print(_table(timings))
    console.print("[green]B saw what A shared, on another host, and was denied as soon as A revoked it.[/green]")


async def _fill(app: App, hosts: tuple[httpx.AsyncClient, httpx.AsyncClient], console: Console) -> None:
    began, domain = time.monotonic(), f"{secrets.token_hex(4)}.example.com"
    batches = iter(range(0, USERS, ROWS))

    async def send(http: httpx.AsyncClient) -> None:
        for first in batches:
            rows = [
                {"email": f"u{n}@{domain}", "first_name": "User", "last_name": str(n), "password_hash": HASH}
                for n in range(first, first + ROWS)
            ]
            answer = await http.post("/api/v1/admin/users/import", json={"users": rows})
            if answer.is_error or answer.json()["created"] != ROWS:
                raise DemoFailed(f"An import answered {answer.status_code}: {answer.text[:300]}")

    await asyncio.gather(*(send(http) for http in hosts for _ in range(2)))
    taken = time.monotonic() - began
    console.print(f"{USERS:,} users were imported in {taken:.0f} s ({USERS / taken:,.0f} a second), each durable.")
    folding = time.monotonic()
    while True:
        cache = (await app.ask("/api/v1/health/cache"))["cache"]
        if cache["local"] and cache["base_lsn"] and cache["tail_rows"] < ROWS:
            break
        if time.monotonic() - folding > FOLD_SECONDS:
            raise DemoFailed(f"The log was not folded within {FOLD_SECONDS} s: {cache}")
        await app.ask("/api/v1/health/cache/sync", {})
        await asyncio.sleep(1)
    console.print(
        f"They were folded to LSN {cache['base_lsn']} in {time.monotonic() - folding:.0f} s;"
        f" the instance holds {cache['users_count']:,} users."
    )


async def _day(stack: Stack, hosts: tuple[httpx.AsyncClient, httpx.AsyncClient], timings: Timings) -> None:
    domain = f"{secrets.token_hex(4)}.example.com"
    password = secrets.token_urlsafe(12)
    sink = f"http://127.0.0.1:{stack.options.ports.mail}/messages"
    people = [
        await _register(http, f"{name}@{domain}", password, timings) for name, http in zip("ab", hosts, strict=True)
    ]
    for person in people:
        await _verify(person, sink, timings)
    ann, bob = people
    for person in people:
        await _log_in(person, password, timings)
    await timings.of("Profile", lambda: ann.ask("GET", "/users/me"), times=20)
    shared = {"shared_email": bob.email}
    share = await timings.of("Share", lambda: ann.ask("POST", "/users/me/shares", shared, expected=201))
    path = f"/users/shared/{share['user_id']}"
    await timings.of("Share check, on another host at once", lambda: bob.ask("GET", path, at=ann.lsn))
    await timings.of("Share check", lambda: bob.ask("GET", path), times=20)
    revoke = f"/users/me/shares/{share['id']}"
    await timings.of("Revoke", lambda: ann.ask("DELETE", revoke, expected=204))
    await timings.of("Denied on another host", lambda: bob.ask("GET", path, expected=404, at=ann.lsn))


async def _register(http: httpx.AsyncClient, email: str, password: str, timings: Timings) -> Person:
    given = {"email": email, "password": password, "first_name": "Ann", "last_name": "Lee"}
    answer = await timings.of("Register", lambda: http.post("/api/v1/auth/register", json=given))
    if answer.is_error:
        raise DemoFailed(f"The registration answered {answer.status_code}: {answer.text[:300]}")
    return Person(http, email, answer.json()["access_token"], answer.json()["lsn"])


async def _verify(person: Person, sink: str, timings: Timings) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        mails: list[dict[str, Any]] = (await person.http.get(sink)).json()
        texts = [str(mail["text"]) for mail in mails if person.email in mail["recipients"]]
        if texts and (token := re.search(r"[\w-]+\.[\w-]+\.[\w-]+", texts[-1])):
            await timings.of("Verify", lambda: person.ask("POST", "/auth/verify", {"token": token[0]}))
            return
        await asyncio.sleep(0.2)
    raise DemoFailed(f"No mail came to {person.email}.")


async def _log_in(person: Person, password: str, timings: Timings) -> None:
    given = {"email": person.email, "password": password}
    tokens = await timings.of("Log in", lambda: person.ask("POST", "/auth/login", given, at=person.lsn), times=3)
    person.token = tokens["access_token"]


def _table(timings: Timings) -> Table:
    table = Table(title="Over HTTP, on this machine", title_justify="left")
    for column in ("", "median", "the seed claims", "with its cache"):
        table.add_column(column, justify="left" if not column else "right")
    for name, taken in timings.taken.items():
        without, cached = SEED.get(name, (None, None))
        table.add_row(
            name,
            f"{statistics.median(taken) * 1000:.1f} ms",
            f"{without} ms" if without else "",
            f"{cached} ms" if cached else "",
        )
    return table
