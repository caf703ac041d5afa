"""A cold instance, in a process of its own: its first log-in, then its look-ups, then its memory.

`python -m bench.authcache.reader USERS EACH`; a line of JSON.
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

began = time.perf_counter()
import function_app  # noqa: E402 - its import is what is measured

imported = time.perf_counter()

from azure.functions import HttpRequest  # noqa: E402 - as above

from bench.authcache.keys import PASSWORD, email, percentile, user_id, viewers  # noqa: E402 - as above
from shared.authcache.store import store  # noqa: E402 - as above
from triggers.authcache.auth import routes  # noqa: E402 - as above

LOOKS = 50_000


def memory() -> dict[str, int]:
    """Megabytes of this process: all, and what is not a mapped file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {
        line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "RssAnon"))
    }
    return {"rss": found["VmRSS"], "anonymous": found["RssAnon"]}


async def measured(users: int, each: int) -> dict[str, object]:
    assert function_app.app
    [login] = [one for one in routes.operations if one.route.endswith("/auth/login")]
    body = json.dumps({"email": email(0), "password": PASSWORD}).encode()
    request = HttpRequest(
        "POST", "http://localhost/api/v1/auth/login", headers={"Content-Type": "application/json"}, body=body
    )
    started = time.perf_counter()
    answer = await login.answer(request)
    first_login = time.perf_counter() - started
    assert answer.status_code == 200, answer.get_body()
    cold = not store().instance.local
    while not store().instance.local:  # noqa: ASYNC110 - it is a measurement, and nothing else runs here
        await asyncio.sleep(0.05)
    fetched = time.perf_counter() - started
    chance = random.Random(1)
    view = await store().view()
    pairs: list[tuple[str, str]] = []
    for _ in range(LOOKS):
        owner = chance.randrange(users)
        viewer = chance.choice(viewers(owner, users, each)) if chance.random() < 0.5 else chance.randrange(users)
        pairs.append((user_id(owner), email(viewer)))
    addresses = [email(chance.randrange(users)) for _ in range(LOOKS)]
    clock = time.perf_counter_ns
    shares: list[float] = []
    for owner, viewer in pairs:
        at = clock()
        await view.share(owner, viewer)
        shares.append((clock() - at) / 1000)
    logins: list[float] = []
    for address in addresses:
        at = clock()
        assert await view.user_by_address(address)
        logins.append((clock() - at) / 1000)
    warm: list[float] = []
    for _ in range(10):
        at = clock()
        await login.answer(request)
        warm.append((clock() - at) / 1e6)
    used = memory()
    return {
        "import_ms": (imported - began) * 1000,
        "first_login_ms": first_login * 1000,
        "cold": cold,
        "fetched_s": fetched,
        "share_p50_us": percentile(shares, 0.5),
        "share_p99_us": percentile(shares, 0.99),
        "user_p50_us": percentile(logins, 0.5),
        "user_p99_us": percentile(logins, 0.99),
        "login_ms": percentile(warm, 0.5),
        **used,
        "heavy": [name for name in ("numpy", "pyarrow", "pyiceberg") if name in sys.modules],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(int(sys.argv[1]), int(sys.argv[2])))))
