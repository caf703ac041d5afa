"""Clients of the diamonds over HTTP: by key and by signature, as the host serves them."""

from __future__ import annotations

import json
import os
import random
import string
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg

from shared.platform.access.api_keys.signatures import message, sign

if TYPE_CHECKING:
    from tests.acceptance.diamonds.conftest import Running

SECRET = "s" * 40
_OFFER = """
insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, color, clarity, cut, lab_grown,
    price_model_price, price_per_carat, retail_price, markup_ratio, availability)
select 'nivoda', 'stone-' || n, 'offer-' || n, 'ROUND', 1 + n / 100.0, 'D', 'IF', 'EX', n % 2 = 0,
    1000 + n, 1000, 1150 + n, 1.15, 'available'
from generate_series(1, 120) n
"""


def grant(dsn: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "shared.platform.access.api_keys", "create", *arguments]
    environment = {**os.environ, "POSTGRES_DSN": dsn}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def signed(method: str, path: str, body: bytes = b"") -> dict[str, str]:
    at = str(int(time.time()))
    signature = sign(SECRET.encode(), message(method, path, at, body)).hex()
    return {"X-Client-Id": "signer", "X-Timestamp": at, "X-Signature": signature}


async def test_clients_search_hold_and_buy(running: Any) -> None:
    # The supplier knows nothing of these diamonds, and is not asked.
    async with running(HMAC_SECRETS=json.dumps({"signer": SECRET}), NIVODA_TRADING="false") as app:
        dsn = app.settings["POSTGRES_DSN"]
        with psycopg.connect(dsn) as connection:
            connection.execute(_OFFER)
        keys = [grant(dsn, "--client", f"client-{n}", "--permission", "diamonds:read", "--permission", "diamonds:trade")
                for n in range(4)]  # fmt: skip
        grant(dsn, "--client", "signer", "--permission", "diamonds:read", "--hmac")
        reads_and_pages(app, keys[0])
        signs_and_is_refused_a_second_time(app)
        one_of_many_buys(app, keys)


def reads_and_pages(app: Running, key: str) -> None:
    me = {"X-API-Key": key}
    assert app.host.request("GET", "/api/v2/diamonds").status == 401
    assert app.host.request("GET", "/api/v2/diamonds", headers={"X-API-Key": "guess"}).status == 401
    first = app.host.request("GET", "/api/v2/diamonds?lab_grown=false&sort_by=carats&sort_order=asc", headers=me)
    assert first.status == 200, first.body
    found = first.json()
    assert (found["pagination"]["total"], len(found["data"])) == (60, 50)
    assert {diamond["lab_grown"] for diamond in found["data"]} == {False}
    headers = {name.lower(): value for name, value in first.headers.items()}
    assert headers["ratelimit-policy"] == '"client";q=600;w=60'
    following = found["pagination"]["next"]
    url = f"/api/v2/diamonds?lab_grown=false&sort_by=carats&sort_order=asc&cursor={following}"
    rest = app.host.request("GET", url, headers=me).json()
    carats = [diamond["carats"] for diamond in found["data"] + rest["data"]]
    assert carats == sorted(carats)
    assert len(carats) == 60


def signs_and_is_refused_a_second_time(app: Running) -> None:
    proof = signed("GET", "/api/v2/diamonds")
    assert app.host.request("GET", "/api/v2/diamonds?limit=1", headers=proof).status == 200
    again = app.host.request("GET", "/api/v2/diamonds?limit=1", headers=proof)
    assert (again.status, again.json()["code"]) == (401, "signature-replayed")


def one_of_many_buys(app: Running, keys: list[str]) -> None:
    def buy(attempt: int) -> tuple[int, Any]:
        headers = {"X-API-Key": keys[attempt % len(keys)], "X-Idempotency-Key": "order-1"}
        answer = app.host.request("POST", "/api/v2/diamonds/1/purchase", {"reference": "PO"}, headers=headers)
        return answer.status, answer.json()

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(buy, range(24)))
    bought = [body for status, body in answers if status == 201]
    refused = [body["code"] for status, body in answers if status == 409]
    assert len(bought) == 24 // len(keys)  # each of the winner's repeats is given the first answer
    assert all(body == bought[0] for body in bought)
    assert refused == ["diamond-not-available"] * (24 - len(bought))
    sold = app.rows("select client_name, price::float8 from diamonds.purchase_history")
    assert sold == [(sold[0][0], bought[0]["price"])]


async def test_what_was_asked_is_part_of_what_was_used_and_guesses_are_slowed(running: Any) -> None:
    async with running("--diamonds", "300", HMAC_SECRETS=json.dumps({"signer": SECRET})) as app:
        app.wait(app.start("full"))
        app.grant("signer", "diamonds:read", "--hmac")
        # One signature of the path alone, as clients of the system being replaced send it: other queries pass with it.
        proof = signed("GET", "/api/v2/diamonds")
        for query, status in (("?limit=1", 200), ("?limit=2", 200), ("?limit=1", 401), ("?limit=2", 401)):
            assert app.host.request("GET", f"/api/v2/diamonds{query}", headers=proof).status == status, query
        whole = "/api/v2/diamonds?limit=3"
        proof = signed("GET", whole)
        assert app.host.request("GET", f"{whole}0", headers=proof).status == 401, "the query was signed"
        assert app.host.request("GET", whole, headers=proof).status == 200
        assert app.host.request("GET", whole, headers=proof).status == 401

        page = "/api/v2/diamonds?sort_by=carats&limit=2"
        cursor = app.ask("GET", page, status=200)["pagination"]["next"]
        chance = random.Random(7)
        letters = string.ascii_letters + string.digits + "-_"
        for _ in range(300):
            at, other = chance.randrange(len(cursor)), chance.choice(letters)
            changed = chance.choice([cursor[:at] + other + cursor[at + 1 :], cursor[:at], cursor[at:], cursor[::-1]])
            answer = app.host.request("GET", f"{page}&cursor={changed}", headers={"X-Admin-Key": "acceptance"})
            assert answer.status == 200 if changed in (cursor, "") else answer.status == 400, changed

        found = [app.host.request("GET", "/api/v2/diamonds", headers={"X-API-Key": f"mf_guess-{n}"}) for n in range(30)]
        assert {answer.status for answer in found} == {401, 429}
        slowed = [{name.lower(): value for name, value in one.headers.items()} for one in found if one.status == 429]
        assert all(int(headers["retry-after"]) >= 1 for headers in slowed)
