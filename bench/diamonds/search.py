"""Latency of the diamonds' search at 500,000 diamonds: `python -m bench.diamonds.search [--diamonds N] [--requests N]`.

Starts a PostgreSQL of its own, fills it from the 53,940 real diamonds of ggplot2 (replicated, three in ten as cheaper
lab-grown ones, one in ten with a certificate that another one has), and calls the route as the Functions worker would:
key, quota, validation, search, JSON. Then again while a writer changes prices, 2,000 diamonds a transaction as
consolidation does, by default as many a second as the vendor's limit of 25 requests/s lets a feed bring.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from azure.functions import HttpRequest

from local.postgres import server
from local.supplier.dataset import load
from shared.platform.stores.postgres import close_pools, database
from triggers.diamonds.offer import routes

LIMIT_MS = 20
FILTERS = {
    "no filter": {},
    "shape=ROUND": {"shape": "ROUND"},
    "color=D": {"color": "D"},
    "clarity=IF": {"clarity": "IF"},
    "cut=ID": {"cut": "ID"},
    "lab_grown=false": {"lab_grown": "false"},
    "lab_grown=true": {"lab_grown": "true"},
    "carats 1 and more": {"carat_min": "1"},
    "carats 1 to 1.1": {"carat_min": "1", "carat_max": "1.1"},
    "carats 3 and more": {"carat_min": "3"},
    "price to 1,000": {"price_max": "1000"},
    "price 5,000 and more": {"price_min": "5000"},
    "big and cheap (few)": {"carat_min": "2", "price_max": "1500"},
    "big and cheap (none)": {"carat_min": "3", "price_max": "100"},
    "ROUND, G, 1 to 1.2 carats": {"shape": "ROUND", "color": "G", "carat_min": "1", "carat_max": "1.2"},
    "OVAL, D, IF": {"shape": "OVAL", "color": "D", "clarity": "IF"},
    "D, VVS1": {"color": "D", "clarity": "VVS1"},
    "natural PEAR, 0.5 carats and more": {"shape": "PEAR", "lab_grown": "false", "carat_min": "0.5"},
    "everything at once": {
        "shape": "ROUND", "color": "E", "clarity": "VS1", "cut": "ID", "lab_grown": "false",
        "carat_min": "0.5", "carat_max": "1.5", "price_min": "1000", "price_max": "9000",
    },
}  # fmt: skip
SORTS = ("created_at", "price_model_price", "carats", "color", "clarity")


def fill(dsn: str, count: int) -> None:
    """Diamonds with the real distribution of carats, grades and prices."""
    chance = random.Random(1)
    stones = load()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    with psycopg.connect(dsn) as connection:
        with connection.cursor().copy(
            "copy diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, color, clarity, cut, lab_grown,"
            " price_model_price, price_per_carat, retail_price, markup_ratio, availability, created_at, measurements,"
            " attributes, image_url, supplier_name, certificate_lab, certificate_number) from stdin"
        ) as copy:
            for number in range(count):
                stone = stones[number % len(stones)]
                lab_grown = chance.random() < 0.3
                ratio = chance.uniform(0.15, 0.3) if lab_grown else chance.uniform(0.95, 1.05)
                price = round(max(stone.price * ratio, 1), 2)
                carats = round(max(0.15, stone.carats + chance.choice((-0.01, 0, 0, 0.01))), 2)
                size = {"length": stone.length, "width": stone.width, "depth": stone.depth}
                copy.write_row(
                    (
                        *("nivoda", f"{chance.getrandbits(128):032x}", f"DIAMOND/{number}", stone.shape, carats),
                        *(stone.color, stone.clarity, stone.cut if stone.shape == "ROUND" else None, lab_grown),
                        *(price, round(price / carats, 2), round(price * 1.15, 2), 1.15, "available"),
                        begin + timedelta(seconds=chance.randrange(86_400 * 300)),
                        *(json.dumps(size), json.dumps({"eye_clean": stone.eye_clean})),
                        *("https://images.example.com/diamond.jpg", stone.supplier),
                        *(stone.lab, str(10**9 + (number if chance.random() < 0.9 else chance.randrange(number + 1)))),
                    )
                )
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze diamonds.diamonds")


def command(*arguments: str) -> str:
    """What one of the project's commands prints."""
    return subprocess.run([sys.executable, "-m", *arguments], check=True, capture_output=True, text=True).stdout


class Client:
    """Calls the search's route."""

    def __init__(self, key: str) -> None:
        self.headers = {"X-API-Key": key}
        self.route = next(operation for operation in routes.operations if operation.name == "diamonds_search")

    async def ask(self, **query: object) -> tuple[float, dict[str, Any]]:
        """Milliseconds and the answer."""
        url = f"http://localhost/api/v2/diamonds?{urlencode(query)}"
        began = time.perf_counter()
        answer = await self.route.answer(HttpRequest("GET", url, headers=self.headers, body=b""))
        took = (time.perf_counter() - began) * 1000
        found = json.loads(answer.get_body())
        if answer.status_code != 200:
            raise SystemExit(f"{url} answered {answer.status_code}: {found}")
        return took, found


def postgres_cpu(dsn: str) -> float:
    """Seconds of CPU that the server's present connections have used."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select pid from pg_stat_activity where backend_type = 'client backend'").fetchall()
    ticks = 0
    for (pid,) in found:
        used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(used[11]) + int(used[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def measure(client: Client, requests: int) -> list[float]:
    """Ask for first pages by number and the next ones by cursor, in both directions; print a row for each search."""
    everything: list[float] = []
    print(f"{'':34}" + "".join(f"{sort:>22}" for sort in SORTS))
    for name, filters in FILTERS.items():
        row = f"{name:34}"
        for sort in SORTS:
            times: list[float] = []
            while len(times) < requests:
                for order in ("asc", "desc"):
                    query = {**filters, "sort_by": sort, "sort_order": order}
                    took, found = await client.ask(**query, page=1 + len(times) % 3)
                    times.append(took)
                    if following := found["pagination"]["next"]:
                        times.append((await client.ask(**query, cursor=following))[0])
            everything += times
            cuts = statistics.quantiles(times, n=20)
            row += f"{statistics.median(times):11.1f}{cuts[18]:8.1f}" + (" ! " if cuts[18] > LIMIT_MS else "   ")
        print(row, flush=True)
    cuts = statistics.quantiles(everything, n=100)
    print(f"all {len(everything)} requests: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms\n")
    return everything


async def change_prices(count: int, per_second: float, done: asyncio.Event) -> tuple[int, float]:
    """Change so many prices a second until done; diamonds changed, and seconds."""
    began, changed, chance = time.perf_counter(), 0, random.Random(2)
    while not done.is_set():
        ids = [chance.randint(1, count) for _ in range(2_000)]
        async with database() as connection:
            await connection.execute(
                "update diamonds.diamonds set price_model_price = round(price_model_price * %s::numeric, 2) + 0.01,"
                " retail_price = round(price_model_price * 1.15, 2), updated_at = now() where id = any(%s)",
                (chance.uniform(0.98, 1.02), ids),
            )
        changed += len(ids)
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), began + changed / per_second - time.perf_counter())
    return changed, time.perf_counter() - began


async def compare(dsn: str, key: str, options: argparse.Namespace) -> int:
    """Print the latencies, quiet and with a writer beside them; 1 if one of the two misses the limit."""
    client = Client(key)
    await measure_once(client)
    print(f"Milliseconds, p50 and p95 of {options.requests} requests each, {options.diamonds} diamonds")
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs\n")
    before = time.process_time(), postgres_cpu(dsn)
    quiet = await measure(client, options.requests)
    ours, theirs = time.process_time() - before[0], postgres_cpu(dsn) - before[1]
    print(
        f"CPU a request, whatever else the machine did: {ours / len(quiet) * 1000:.1f} ms in the app,"
        f" {theirs / len(quiet) * 1000:.1f} ms in PostgreSQL\n"
    )
    done = asyncio.Event()
    writer = asyncio.create_task(change_prices(options.diamonds, options.writes, done))
    busy = await measure(client, options.requests)
    done.set()
    changed, seconds = await writer
    print(f"meanwhile the writer changed {changed / seconds:,.0f} diamonds/s")
    await close_pools()
    with psycopg.connect(dsn) as connection:
        size = connection.execute("select pg_size_pretty(pg_indexes_size('diamonds.diamonds'))").fetchone()
    print(f"indexes: {size and size[0]}")
    return int(any(statistics.quantiles(times, n=20)[18] > LIMIT_MS for times in (quiet, busy)))


async def measure_once(client: Client) -> None:
    """Load what the first request loads."""
    for sort in SORTS:
        await client.ask(sort_by=sort)


def run(options: argparse.Namespace) -> int:
    """Start a server, fill it, and compare."""
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server may be another user's, where this one is root
        with server(f"{folder}/postgres") as postgres:
            os.environ |= {"POSTGRES_DSN": postgres.dsn, "CLIENT_REQUESTS_PER_MINUTE": "1000000"}
            command("shared.platform.stores.migrate")
            grant = ("--client", "bench", "--permission", "diamonds:read")
            key = command("shared.platform.access.api_keys", "create", *grant).strip()
            started = time.perf_counter()
            fill(postgres.dsn, options.diamonds)
            print(f"{options.diamonds} diamonds stored in {time.perf_counter() - started:.0f} s")
            return asyncio.run(compare(postgres.dsn, key, options))


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """The flags of `python -m bench.diamonds.search`."""
    parser = argparse.ArgumentParser(prog="python -m bench.diamonds.search", description=__doc__)
    parser.add_argument("--diamonds", type=int, default=500_000)
    parser.add_argument("--requests", type=int, default=40, help="of each search")
    parser.add_argument("--writes", type=float, default=1_250, help="diamonds a second in the second part")
    return parser.parse_args(arguments)


def main(*, quick: bool) -> None:
    """As the other benchmarks are called."""
    run(options_of(["--diamonds", "100000", "--requests", "10"] if quick else []))


if __name__ == "__main__":
    sys.exit(run(options_of()))
