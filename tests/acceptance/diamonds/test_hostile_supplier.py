"""A supplier that sends what public reports of bugs are made of: each row fails alone, and no lie decides anything."""

from __future__ import annotations

import base64
import gzip
import json
import random
import threading
from collections.abc import Callable, Generator
from copy import deepcopy
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.processes import free_port

STONES = 60


def item(number: int, price: Any = None, **certificate: Any) -> dict[str, Any]:
    """A stone as Nivoda sends it, at `price` cents."""
    return {
        "id": f"DIAMOND/s{number:03}",
        "price": 50_000 + number * 100 if price is None else price,
        "diamond": {
            "id": f"s{number:03}",
            "availability": "AVAILABLE",
            "certificate": {
                "lab": "GIA", "certNumber": str(number), "shape": "ROUND", "carats": 0.5, "color": "E",
                "clarity": "VS1", "cut": "EX", "labgrown": False, **certificate,
            },
        },
    }  # fmt: skip


class Hostile:
    """Nivoda's API over `items`; what a test sets is sent as it is.

    Attributes:
        true_price: dollars by which an item is found.
        unlisted: how many of those that are counted no list shows.
        raw: replaces the text of a page, from what it would have been.
        refusal: answers a request instead.
    """

    def __init__(self) -> None:
        self.items: list[Any] = [item(number) for number in range(STONES)]
        self.raw: Callable[[str], str] = lambda text: text
        self.refusal: Callable[[Request], Response | None] = lambda _: None
        self.true_price = self.price
        self.unlisted = 0
        self.packed = False
        self.url = ""

    @staticmethod
    def price(one: Any) -> float:
        """By which it is found, whatever is sent."""
        sent = one.get("price") if isinstance(one, dict) else None
        return sent / 100 if isinstance(sent, int | float) else 520

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        query, variables = body["query"], body["variables"]
        if "authenticate" in query:
            return self.json({"authenticate": {"username_and_password": {"token": "tok-" + "s3cret" * 5}}})
        if refused := self.refusal(request):
            return refused
        asked = variables["query"]
        values = asked.get("dollar_value") or {"from": 0, "to": 2**31}
        found = [one for one in self.items if values["from"] <= self.true_price(one) < values["to"] + 1]
        if "diamonds_by_query_count" in query:
            return self.json({"diamonds_by_query_count": len(found)})
        found = found[: len(found) - self.unlisted]
        page = found[variables["offset"] : variables["offset"] + variables["limit"]]
        return self.json({"diamonds_by_query": {"items": page}}, self.raw)

    def json(self, data: Any, change: Callable[[str], str] = lambda text: text) -> Response:
        text = change(json.dumps({"data": data}))
        content = text.encode("utf-8", "surrogatepass")
        if self.packed:
            return Response(gzip.compress(content), headers={"Content-Encoding": "gzip"}, media_type="application/json")
        return Response(content, media_type="application/json")


@pytest.fixture
def hostile() -> Generator[Hostile]:
    supplier = Hostile()
    port = free_port()
    app = Starlette(routes=[Route("/graphql", supplier.answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    supplier.url = f"http://127.0.0.1:{port}/graphql"
    yield supplier
    server.should_exit = True
    thread.join(10)


def run(app: Any, run_type: str = "full") -> dict[str, Any]:
    return app.wait(app.start(run_type))


def offered(app: Any) -> dict[str, tuple[str, float]]:
    """What the shop offers: availability and the supplier's price of each stone."""
    found = app.rows(
        "select supplier_stone_id, availability, price_model_price::float8 from diamonds.diamonds"
        " where status = 'active'"
    )
    return {stone: (word, price) for stone, word, price in found}


def failed(app: Any) -> dict[str, str]:
    page = app.ask("GET", "/api/v2/analytics/failed-rows?limit=100", status=200)
    return {one["supplier_stone_id"]: one["reason"] for one in page["data"]}


async def test_each_odd_row_fails_alone_and_the_others_are_sold(running: Any, hostile: Hostile) -> None:
    cut = base64.b64encode(random.Random(1).randbytes(1_050)).decode()
    odd = [
        None,
        "a text",
        ["a", "list"],
        7,
        item(1_000, cut=cut),
        item(1_001, shape={"name": "ROUND"}),
        item(1_002, carats="0x186A0"),
        item(1_003, price="100_000"),
        item(1_004, price="1.234"),
        item(1_005, carats=10**400),
        item(1_006, shape="Round\u00a0Unheard-of"),
        item(1_007, certNumber="\ud800" * 3_000),
        {**item(1_008), "diamond": {**item(1_008)["diamond"], "id": 1_008}},
        {**item(1_009), "diamond": {**item(1_009)["diamond"], "id": "x" * 5_000}},
        {**item(1_010), "diamond": "text"},
    ]
    digits, deep = "9" * 5_000, "[" * 5_000 + "]" * 5_000
    hostile.items += [*odd, item(1_011, carats="DIGITS"), item(1_012, clarity="DEEP")]
    hostile.raw = lambda text: text.replace('"DIGITS"', digits).replace('"DEEP"', deep)
    async with running(NIVODA_ENDPOINT=hostile.url, FAILED_SHARE_LIMIT="0.9") as app:
        ended = run(app)
        assert ended["run"]["status"] == "completed", ended["run"]
        assert ended["run"]["consolidated"] == STONES
        assert ended["run"]["failed"] == len(odd) + 2 == len(failed(app))
        assert set(offered(app)) == {f"s{number:03}" for number in range(STONES)}
        for stone in failed(app):
            payload = app.ask("GET", f"/api/v2/analytics/stone?supplier_stone_id={stone}", status=200)["raw"]["payload"]
            assert payload
        # The next night is as the first one, and trying them again finds them failed again.
        assert run(app)["run"]["status"] == "completed"
        assert app.ask("POST", "/api/v2/triggers/requeue-failed", {}, status=200)["requeued"] == len(odd) + 2
        app.until(lambda: len(failed(app)) == len(odd) + 2)


def in_dollars(supplier: Hostile) -> None:
    """The other unit of prices: every stone at a hundredth."""
    before = {id(one): supplier.price(one) for one in supplier.items}
    supplier.true_price = lambda one: before[id(one)]
    for one in supplier.items:
        one["price"] = one["price"] // 100


def renamed(supplier: Hostile) -> None:
    for one in supplier.items:
        certificate = one["diamond"]["certificate"]
        certificate["weight"] = certificate.pop("carats")


def tripled(supplier: Hostile) -> None:
    for one in supplier.items[:20]:
        one["price"] *= 3


def vanished(supplier: Hostile) -> None:
    del supplier.items[:20]


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (in_dollars, "prices-jumped"),  # its one partition takes any price, so that none contradicts
        (renamed, "rows-failed"),
        (tripled, "prices-jumped"),
        (vanished, "diamonds-vanished"),
    ],
    ids=["other unit", "renamed field", "jumped", "vanished"],
)
async def test_a_lie_holds_the_run_and_changes_nothing(
    running: Any, hostile: Hostile, lie: Callable[[Hostile], None], code: str
) -> None:
    async with running(NIVODA_ENDPOINT=hostile.url) as app:
        assert run(app)["run"]["status"] == "completed"
        before, truth = offered(app), deepcopy(hostile.items)
        watermark = app.ask("GET", "/api/v2/analytics/feeds")["data"][0]["watermark"]
        lie(hostile)
        held = run(app)
        assert (held["run"]["status"], held["run"]["error_code"]) == ("held", code)
        assert held["difference"]["offered"] == STONES
        assert offered(app) == before
        assert app.ask("GET", "/api/v2/analytics/feeds")["data"][0]["watermark"] == watermark
        app.until(lambda: len(app.mails()) == 1)
        assert held["run"]["run_id"] in app.mails()[0]["text"]
        again = run(app)
        assert offered(app) == before, "a second night is no release"
        for one in (held, again):
            if one["run"]["status"] == "held":
                app.ask("POST", "/api/v2/triggers/cancel", {"run_id": one["run"]["run_id"]}, status=200)
        hostile.items, hostile.true_price = truth, hostile.price
        assert run(app)["run"]["status"] == "completed"
        assert offered(app) == before


async def test_a_list_that_ends_early_is_not_complete_and_deletes_nothing(running: Any, hostile: Hostile) -> None:
    async with running(NIVODA_ENDPOINT=hostile.url, PARTIAL_WAIT_SECONDS="0") as app:
        assert run(app)["run"]["status"] == "completed"
        hostile.unlisted = 3
        ended = run(app)
        assert ended["run"]["status"] in ("held", "partial", "failed")
        [partition] = ended["partitions"]
        assert (partition["status"], partition["records"]) == ("failed", STONES - 3)
        assert len(offered(app)) == STONES


async def test_what_lost_its_price_is_not_for_sale(running: Any, hostile: Hostile) -> None:
    async with running(NIVODA_ENDPOINT=hostile.url) as app:
        run(app)
        hostile.items[3] = {**item(3), "price": None}
        hostile.items[4] = {**item(4), "price": "POA"}
        hostile.items[5] = item(5, certNumber="another", carats=0.9)
        assert run(app)["run"]["status"] == "completed"
        assert [offered(app)[f"s00{number}"][0] for number in (3, 4, 5)] == ["unavailable", "unavailable", "available"]
        ids = dict(app.rows("select supplier_stone_id, id from diamonds.diamonds"))
        for number in (3, 4):
            answer = app.host.request(
                "POST",
                f"/api/v2/diamonds/{ids[f's00{number}']}/purchase",
                {},
                headers={"X-Admin-Key": "acceptance", "X-Idempotency-Key": f"k{number}"},
            )
            assert (answer.status, answer.json()["code"]) == (409, "diamond-not-available")
        [[count]] = app.rows("select count(*) from diamonds.diamonds where supplier_stone_id like 's005%'")
        assert count == 2, "an id that is used again is another diamond"


async def test_secrets_that_the_supplier_quotes_back_are_shown_nowhere(running: Any, hostile: Hostile) -> None:
    def quote(request: Request) -> Response:
        said = {
            "sent": dict(request.headers),
            "password": "manifold-secret-9",
            "auth": request.headers["Authorization"],
        }
        return Response(json.dumps(said), 400, media_type="application/json")

    hostile.refusal = quote
    async with running(NIVODA_ENDPOINT=hostile.url, NIVODA_PASSWORD="manifold-secret-9") as app:
        ended = run(app)
        assert ended["run"]["status"] == "failed"
        app.until(lambda: app.mails() != [])
        shown = json.dumps(
            [
                ended,
                app.mails(),
                app.ask("GET", "/ops/runs"),
                app.rows("select error from diamonds.run_metadata"),
                app.host.output,
            ]
        )
        assert "s3cret" not in shown
        assert "manifold-secret-9" not in shown


async def test_a_page_that_unpacks_to_hundreds_of_megabytes_fails_its_partition(running: Any, hostile: Hostile) -> None:
    hostile.packed = True
    hostile.raw = lambda text: text[:-2] + ', "x": "' + " " * 400_000_000 + '"}}'
    async with running(NIVODA_ENDPOINT=hostile.url) as app:
        ended = run(app)
        assert ended["run"]["status"] == "held"
        assert "has more than 16,000,000 bytes" in ended["partitions"][0]["error"]
