"""The fold on a real host: started by the minute, killed at any moment, and what operators see of it."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.authcache.conftest import PASSWORD

FOLD = "authcache-fold"
KILLS = 5


def fold_now(host: Any) -> None:
    host.host.request("POST", "/admin/functions/operations_minute", {}, headers={"X-Admin-Key": "acceptance"})


def run_of(host: Any) -> dict[str, Any] | None:
    answer = host.host.request("GET", f"/ops/runs/{FOLD}", headers={"X-Admin-Key": "acceptance"})
    return answer.json() if answer.status == 200 else None


def folded(host: Any, seconds: float = 90) -> dict[str, Any]:
    """Fold until all that is in the log is in the base; the cache's figures then."""
    deadline = time.monotonic() + seconds
    while True:
        fold_now(host)
        time.sleep(0.5)
        cache = host.ask("GET", "/health/cache")["cache"]
        if cache["base_lsn"] == cache["lsn"] > 0 and cache["local"]:
            return cache
        assert time.monotonic() < deadline, (cache, run_of(host), host.host.output[-30:])


async def test_the_minute_folds_and_operators_see_it(running: Any) -> None:
    async with running(1, AUTHCACHE_REFRESH_SECONDS="1") as app:
        [host] = app.hosts
        assert host.ask("GET", "/health/cache")["status"] == "empty"
        ann = app.verified(host, "ann@example.com")
        host.ask("POST", "/users/me/shares", {"shared_email": "bob@example.com"}, user=ann, status=201)
        cache = folded(host)
        assert (cache["users_count"], cache["shares_count"], cache["users_with_shares"]) == (1, 1, 1)
        assert cache["cache_loaded_at"]
        assert host.raw("POST", "/health/cache/sync").status == 401
        assert host.raw("POST", "/health/cache/invalidate").status == 401
        assert host.ask("POST", "/health/cache/sync", status=202)["id"] == FOLD
        answer = host.ask("POST", "/health/cache/invalidate", status=202)
        assert answer["epoch"] == 1
        deadline = time.monotonic() + 30
        while not (cache := host.ask("GET", "/health/cache")["cache"])["local"] or cache["epoch"] != 1:
            assert host.ask("GET", "/users/me", user=ann)["email"] == "ann@example.com"
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        run = run_of(host)
        assert run is not None


def overwritten(folder: Path, byte: int | None) -> None:
    """Every index file of the base's copies below the folder, as a failing disk leaves it; None: with random bytes."""
    found = [path for path in folder.rglob("*.index") if ".damaged" not in str(path.parent)]
    assert found
    for path in found:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(random.Random(1).randbytes(size) if byte is None else bytes([byte]) * size)


async def test_an_index_that_is_overwritten_on_the_disk_makes_nobody_unknown(running: Any, tmp_path: Path) -> None:
    async with running(1, AUTHCACHE_REFRESH_SECONDS="1") as app:
        [host] = app.hosts
        users = [host.register(f"u{one}@example.com") for one in range(6)]
        folded(host)

        def ask_all() -> set[int]:
            statuses = set[int]()
            for user in users:
                given = {"email": user.email, "password": PASSWORD}
                registered = host.raw("POST", "/auth/register", {**given, "first_name": "A", "last_name": "B"}).status
                assert registered in (409, 503)
                known = host.raw("GET", "/users/me", Authorization=f"Bearer {user.token}").status
                statuses |= {registered, known, host.raw("POST", "/auth/login", given).status}
            assert statuses <= {200, 409, 503}
            return statuses

        for byte, starts in ((0xFF, False), (None, True)):
            if starts:
                host.host.kill()
            overwritten(tmp_path / "cache", byte)
            if starts:
                host.host.start()
            ask_all()
            deadline = time.monotonic() + 30
            while 503 in ask_all() or not (cache := host.ask("GET", "/health/cache")["cache"])["local"]:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            assert (cache["users_count"], cache["rebuilds"]) == (len(users), 0)


@pytest.mark.crash
async def test_a_host_that_is_killed_in_its_folds_loses_nothing(running: Any) -> None:
    chance = random.Random(7)
    async with running(1, AUTHCACHE_REFRESH_SECONDS="1") as app:
        [host] = app.hosts
        users, struck = [], 0
        while struck < KILLS:
            users.append(host.register(f"user{len(users)}@example.com"))
            assert len(users) <= 3 * KILLS, "most kills came when all was folded"
            fold_now(host)
            await asyncio.sleep(chance.random() * 1.5)
            struck += "fold" in host.host.restart_by_kill()
        cache = folded(host)
        assert cache["users_count"] == len(users)
        for user in users:
            assert host.ask("GET", "/users/me", user=user)["email"] == user.email
