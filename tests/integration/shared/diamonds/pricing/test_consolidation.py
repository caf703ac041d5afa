"""Raw rows become priced diamonds or failures with a reason, and every claim is all or nothing."""

import asyncio
import random
import string
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from shared.diamonds.ingestion.mapping import NIVODA, PriceUnit
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.offer import trade
from shared.diamonds.pricing import consolidation
from shared.diamonds.pricing.consolidation import consolidate, recover_claims
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.pricing.terms import PricingRule
from shared.diamonds.runs import lifecycle, reports
from shared.diamonds.runs.missing import mark_missing_deleted
from shared.diamonds.runs.models import RunStatus
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import DataRefused, close_pools, database
from tests.unit.shared.diamonds.pricing.oracle import Unpriced, dollars, price


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def ingest(diamonds, *stones, feed="nivoda"):
    shop = diamonds.Shop(stones=dict(enumerate(stones)))
    run = await diamonds.begin(0, 2**31 - 1, feed=feed)
    await copy_pages(shop, run.task())
    return run.plan


async def work(plan, unit: PriceUnit = "cents", seconds=60.0, worker="w1"):
    task = ConsolidateRows(run_id=plan.run_id, feed=plan.feed, worker=worker, seconds=seconds)
    return await consolidate(task, NIVODA, unit)


async def test_a_stone_becomes_a_diamond(diamonds):
    plan = await ingest(diamonds, diamonds.stone("s1", price=326, carats="1.50", color="e ", floInt=""))
    assert (await work(plan)).model_dump() == {"done": 1, "failed": 0, "finished": True}
    rows = await diamonds.fetch(
        "select feed, supplier_stone_id, offer_id, shape, carats, color, clarity, cut, fluorescence, lab_grown,"
        " treated, price_model_price, price_per_carat, retail_price, markup_ratio, rating, availability,"
        " raw_availability, image_url, video_url, certificate_lab, measurements, attributes, supplier_name, status"
        " from diamonds.diamonds"
    )
    identity = ("nivoda", "s1", "DIAMOND/s1")
    grades = ("ROUND", Decimal("1.50"), "E", "SI2", "Ideal", None, False, None)
    prices = (Decimal("326.00"), Decimal("217.33"), Decimal("374.90"), Decimal("1.1500"), None)
    offer = ("available", "AVAILABLE", "https://images.example.com/s1.jpg", None)
    rest = ("GIA", {"length": 3.95}, {"discount": -10.5}, "Acme", "active")
    assert rows == [(*identity, *grades, *prices, *offer, *rest)]
    assert await diamonds.fetch(
        "select consolidation_status, claimed_by, claimed_at = consolidated_at from diamonds.raw_diamonds"
    ) == [("done", "w1", True)]


async def test_the_unit_of_prices_is_the_feeds(diamonds):
    plan = await ingest(diamonds, diamonds.stone("s1", price=326))
    await work(plan, "dollars")
    assert await diamonds.fetch("select price_model_price from diamonds.diamonds") == [(Decimal(32600),)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shape": None}, "shape: missing"),
        ({"shape": "  "}, "shape: missing"),
        ({"shape": "r" * 51}, "shape: longer than 50 characters"),
        ({"carats": None}, "carats: missing"),
        ({"carats": 0}, 'carats: "0" is not a number from 0.01 to 9999.99'),
        ({"carats": "NaN"}, 'carats: "NaN" is not a number from 0.01 to 9999.99'),
        ({"carats": "1e99"}, 'carats: "1e99" is not a number from 0.01 to 9999.99'),
        ({"carats": "big" * 40}, f'carats: "{("big" * 40)[:40]}" is not a number from 0.01 to 9999.99'),
        ({"labgrown": "maybe"}, 'lab_grown: "MAYBE" is neither true nor false'),
        ({"color": "D" * 5000}, "color: longer than 50 characters"),
        ({"cut": "D" * 51}, "cut: longer than 50 characters"),
        ({"polish": "D" * 51}, "polish: longer than 50 characters"),
        ({"symmetry": "D" * 51}, "symmetry: longer than 50 characters"),
        ({"floInt": "D" * 51}, "fluorescence: longer than 50 characters"),
        ({"lab": "D" * 51}, "certificate_lab: longer than 50 characters"),
        ({"certNumber": "1" * 101}, "certificate_number: longer than 100 characters"),
        ({"shape": None, "carats": -1}, 'shape: missing; carats: "-1" is not a number from 0.01 to 9999.99'),
    ],
)
async def test_a_stone_that_cannot_be_mapped_fails_with_the_reason(diamonds, change, reason):
    plan = await ingest(diamonds, diamonds.stone("good"), diamonds.stone("bad", **change))
    assert (await work(plan)).model_dump() == {"done": 1, "failed": 1, "finished": True}
    assert await diamonds.fetch(
        "select supplier_stone_id, consolidation_status, failure_reason from diamonds.raw_diamonds order by 1"
    ) == [("bad", "failed", reason), ("good", "done", None)]
    summary = await reports.summary(plan.run_id)
    assert (summary.ingested, summary.consolidated, summary.failed, summary.pending) == (2, 1, 1, 0)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (None, "price: missing"),
        (0, 'price: "0" is not an amount of 0.01 to 99999999.99 dollars'),
        ("free", 'price: "free" is not an amount of 0.01 to 99999999.99 dollars'),
        ("Infinity", 'price: "Infinity" is not an amount of 0.01 to 99999999.99 dollars'),
        (10**20, f'price: "{10**20}" is not an amount of 0.01 to 99999999.99 dollars'),
        ({"a": 1}, 'price: "{"a": 1}" is not an amount of 0.01 to 99999999.99 dollars'),
    ],
)
async def test_a_price_that_is_none_fails_with_the_reason(diamonds, sent, reason):
    stone = diamonds.stone("bad")
    plan = await ingest(diamonds, stone)
    await diamonds.fetch(
        "update diamonds.raw_diamonds set payload = jsonb_set(payload, '{price}', %s) returning 1",
        Jsonb(sent),
    )
    assert (await work(plan)).failed == 1
    assert await diamonds.fetch("select failure_reason from diamonds.raw_diamonds") == [(reason,)]


async def test_a_stone_without_an_id_fails_and_is_counted(diamonds):
    plan = await ingest(diamonds, diamonds.stone(""), diamonds.stone("s1"))
    assert (await work(plan)).failed == 1
    assert await diamonds.fetch(
        "select failure_reason from diamonds.raw_diamonds where failure_reason is not null"
    ) == [("id: missing or unusable",)]


async def test_a_row_that_postgresql_refuses_fails_alone(diamonds, monkeypatch):
    """Whatever the reason: here a rule of the table divides by zero for some."""
    bad = {f"s{n:03}" for n in (0, 7, 8, 41, 99)}
    async with database() as connection:
        await connection.execute(
            "alter table diamonds.diamonds add constraint odd"
            " check (case when certificate_number = 'ODD' then 1 / (length(color) - 1) > 0 else true end)"
        )
    stones = [diamonds.stone(f"s{n:03}", certNumber="odd" if f"s{n:03}" in bad else "1") for n in range(100)]
    plan = await ingest(diamonds, *stones)
    monkeypatch.setattr(consolidation, "CLAIM_ROWS", 64)
    assert (await work(plan)).model_dump() == {"done": 95, "failed": 5, "finished": True}
    failed = await diamonds.fetch(
        "select supplier_stone_id, failure_reason from diamonds.raw_diamonds where consolidation_status = 'failed'"
    )
    assert dict(failed) == dict.fromkeys(bad, "row: division by zero")
    assert (await work(plan)).finished


async def test_a_row_too_large_for_an_index_is_no_outage(diamonds, monkeypatch):
    async with database() as connection:
        await connection.execute("create index on diamonds.diamonds (supplier_name)")
        await connection.execute("create or replace function diamonds.no_word(field text, value text, most integer,"
                                 " unusual boolean) returns text immutable language sql return null::text")  # fmt: skip
    stones = [diamonds.stone("s1"), diamonds.stone("s2"), diamonds.stone("s3")]
    stones[1].payload["diamond"]["supplier"]["name"] = b64encode(random.Random(1).randbytes(6_000)).decode()
    plan = await ingest(diamonds, *stones)
    assert (await work(plan)).model_dump() == {"done": 2, "failed": 1, "finished": True}
    [(reason,)] = await diamonds.fetch("select failure_reason from diamonds.raw_diamonds where failure_reason <> ''")
    assert reason.startswith("row: index row")


async def test_a_statement_that_fails_for_every_row_is_no_fault_of_the_rows(diamonds, monkeypatch):
    monkeypatch.setattr(consolidation, "MOST_REFUSED", 5)
    async with database() as connection:
        await connection.execute("alter table diamonds.diamonds add constraint odd check (1 / (length(color) - 1) > 0)")
    plan = await ingest(diamonds, *(diamonds.stone(f"s{n:03}") for n in range(50)))
    with pytest.raises(DataRefused, match="division by zero"):
        await work(plan)
    statuses = dict(await diamonds.fetch("select consolidation_status, count(*) from diamonds.raw_diamonds group by 1"))
    assert statuses == {"failed": 5, "pending": 45}


leaf = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["NaN", "1e400", "-0", " 1 ", "0x10", "1_0", "true", "t", "x" * 4000, "é" * 2000])
)
anything = (
    leaf | st.lists(leaf, max_size=2) | st.dictionaries(st.text(string.ascii_letters, max_size=3), leaf, max_size=2)
)
certificates = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("shape", "carats", "color", "labgrown", "depth", "lab"), anything)
)
payloads = st.fixed_dictionaries(
    {"price": anything | st.integers(1, 10**6)},
    optional={
        "discount": anything,
        "diamond": anything
        | st.fixed_dictionaries(
            {"certificate": anything | certificates},
            optional={"availability": anything, "HoldId": anything, "image": anything, "supplier": anything},
        ),
    },
)


def test_no_payload_stops_the_others(migrated, diamonds):
    """Whatever a supplier sends is consolidated or failed; one row must never hold up its claim."""

    async def example(sent):
        stones = [diamonds.stone("good"), *(diamonds.stone(f"s{n}") for n in range(len(sent)))]
        for stone, payload in zip(stones[1:], sent, strict=True):
            stone.payload.clear()
            stone.payload.update({"price": 100} | payload)

        class Listing(diamonds.Shop):
            def _in(self, prices):
                return list(self.stones.values())

        feed = f"f{uuid4().hex[:20]}"
        run = await diamonds.begin(0, 2**31 - 1, feed=feed)
        await copy_pages(Listing(stones=dict(enumerate(stones))), run.task())
        answer = await work(run.plan)
        assert (answer.done + answer.failed, answer.finished) == (len(stones), True)
        summary = await reports.summary(run.plan.run_id)
        assert (summary.consolidated, summary.failed) == (answer.done, answer.failed)
        assert answer.done >= 1

    with asyncio.Runner() as runner:
        try:
            given(st.lists(payloads, max_size=4))(
                settings(max_examples=60, deadline=None)(lambda sent: runner.run(example(sent)))
            )()
        finally:
            runner.run(close_pools())


rules = st.lists(
    st.fixed_dictionaries(
        {
            "priority": st.integers(1, 3),
            "carat_min": st.none() | st.decimals("0", "2", places=2),
            "carat_max": st.none() | st.decimals("2", "5", places=2),
            "shapes": st.none() | st.lists(st.sampled_from(["ROUND", "Oval", "pear"]), min_size=1, max_size=2),
            "lab_grown": st.none() | st.booleans(),
            "feed": st.none() | st.sampled_from(["nivoda", "second"]),
            "markup_ratio": st.decimals("0.5", "9.9999", places=4),
            "rating": st.none() | st.integers(1, 10),
            "active": st.sampled_from([True, True, False]),
        }
    ),
    max_size=6,
)
offers = st.lists(
    st.tuples(
        st.sampled_from(["round", "OVAL", "Pear", "HEART"]),
        st.decimals("0.01", "5", places=2),
        st.none() | st.booleans(),
        st.integers(1, 999_999),  # times 100, in dollars: near the dearest that fits
        st.sampled_from(["cents", "dollars"]),
    ),
    min_size=1,
    max_size=12,
)


def test_sql_prices_as_the_rule_says(migrated, diamonds):
    columns = "priority, carat_min, carat_max, shapes, lab_grown, feed, markup_ratio, rating, active"

    async def example(wanted, offered, unit):
        feed = f"f{uuid4().hex[:20]}"
        async with database() as connection:
            await connection.execute("delete from diamonds.pricing_rules")
            for each in wanted:
                rule = each | {"feed": feed if each["feed"] == "nivoda" else each["feed"]}
                values = ", ".join(f"%({column})s" for column in columns.split(", "))
                await connection.execute(f"insert into diamonds.pricing_rules ({columns}) values ({values})", rule)
        stored = await diamonds.fetch(f"select id, {columns} from diamonds.pricing_rules")
        names = ["id", *columns.split(", ")]
        parsed = [PricingRule.model_validate(dict(zip(names, row, strict=True))) for row in stored]
        stones = [
            diamonds.stone(f"s{n}", price=amount, shape=shape, carats=str(carats), labgrown=grown)
            for n, (shape, carats, grown, amount, _) in enumerate(offered)
        ]
        plan = await ingest(diamonds, *stones, feed=feed)
        await work(plan, unit)
        found = await diamonds.fetch(
            "select supplier_stone_id, retail_price, price_per_carat, markup_ratio, rating, price_model_price"
            " from diamonds.diamonds where feed = %s",
            feed,
        )
        expected = []
        for n, (shape, carats, grown, amount, _) in enumerate(offered):
            value = dollars(Decimal(amount * 100), unit)
            stone = Unpriced(feed=feed, shape=shape, carats=carats, lab_grown=grown, price=value)
            p = price(stone, parsed)
            expected.append((f"s{n}", p.retail_price, p.price_per_carat, p.markup_ratio, p.rating, value))
        assert sorted(found) == sorted(expected)

    with asyncio.Runner() as runner:
        try:
            given(rules, offers, st.sampled_from(["cents", "dollars"]))(
                settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])(
                    lambda wanted, offered, unit: runner.run(example(wanted, offered, unit))
                )
            )()
        finally:
            runner.run(close_pools())


async def test_defect_skip_locked_outside_a_transaction(diamonds, monkeypatch):
    """Of the system being replaced. Here workers at once share the rows and take none twice."""
    monkeypatch.setattr(consolidation, "CLAIM_ROWS", 7)
    plan = await ingest(diamonds, *(diamonds.stone(f"s{n:03}") for n in range(300)))
    answers = await asyncio.gather(*(work(plan, worker=f"w{n}") for n in range(4)))
    assert sum(answer.done for answer in answers) == 300
    assert all(answer.finished for answer in answers)
    assert await diamonds.fetch("select count(*), count(distinct supplier_stone_id) from diamonds.diamonds") == [
        (300, 300)
    ]
    by_worker = dict(await diamonds.fetch("select claimed_by, count(*) from diamonds.raw_diamonds group by 1"))
    assert by_worker == {f"w{n}": answer.done for n, answer in enumerate(answers) if answer.done}
    assert len(by_worker) > 1


async def test_a_time_box_stops_between_claims(diamonds, monkeypatch):
    monkeypatch.setattr(consolidation, "CLAIM_ROWS", 10)
    # Each box begins with the first row: with any other, the last claim before the end of the table may be a short one.
    monkeypatch.setattr(consolidation, "_ANYWHERE", "select supplier_stone_id from diamonds.raw_diamonds where false")
    plan = await ingest(diamonds, *(diamonds.stone(f"s{n:03}") for n in range(25)))
    answers = [await work(plan, seconds=1e-9) for _ in range(4)]
    assert [(answer.done, answer.finished) for answer in answers] == [(10, False), (10, False), (5, False), (0, True)]


async def test_a_worker_that_dies_leaves_nothing_claimed(diamonds):
    plan = await ingest(diamonds, diamonds.stone("s1"))
    task = ConsolidateRows(run_id=plan.run_id, feed=plan.feed, worker="w1", seconds=60)

    class Killed(Exception):
        pass

    from contextlib import asynccontextmanager

    calls = []

    @asynccontextmanager
    async def dies_before_commit(connecting):
        async with connecting as connection:
            yield connection
            calls.append(1)
            if len(calls) == 2:  # the first transaction sees whether the feed is read anew
                raise Killed

    with pytest.raises(Killed), diamonds.through(dies_before_commit):
        await consolidate(task, NIVODA, "cents")
    assert await diamonds.fetch("select consolidation_status, claimed_by from diamonds.raw_diamonds") == [
        ("pending", None)
    ]
    assert await diamonds.fetch("select count(*) from diamonds.diamonds") == [(0,)]
    assert (await work(plan)).done == 1


async def test_a_change_that_comes_while_a_row_is_claimed_is_consolidated_later(diamonds):
    await lifecycle.finish_run((await ingest(diamonds, diamonds.stone("s1", price=1))).run_id, RunStatus.HELD)
    async with database() as claimer:
        await claimer.execute("select 1 from diamonds.raw_diamonds for update")
        changing = asyncio.create_task(ingest(diamonds, diamonds.stone("s1", price=2)))
        done, _ = await asyncio.wait([changing], timeout=0.2)
        assert not done
        await claimer.execute("update diamonds.raw_diamonds set consolidation_status = 'done'")
    plan = await changing
    assert (await work(plan)).done == 1
    assert await diamonds.fetch("select price_model_price from diamonds.diamonds") == [(Decimal(2),)]


async def test_rows_of_a_held_run_are_taken_by_the_next(diamonds):
    await lifecycle.finish_run((await ingest(diamonds, diamonds.stone("s1"))).run_id, RunStatus.HELD)
    assert (await work(await ingest(diamonds, diamonds.stone("s2")))).done == 2


async def test_claims_that_a_worker_left_are_recovered_after_a_while(diamonds):
    plan = await ingest(diamonds, diamonds.stone("s1"), diamonds.stone("s2"))
    await diamonds.fetch(
        "update diamonds.raw_diamonds set consolidation_status = 'processing', claimed_by = 'old',"
        " claimed_at = now() - case supplier_stone_id when 's1' then interval '1 hour' else '0' end returning 1"
    )
    assert (await work(plan)).done == 0
    assert await recover_claims(timedelta(minutes=30)) == 1
    assert (await work(plan)).done == 1


async def test_our_hold_outlasts_what_the_supplier_says(diamonds):
    held = diamonds.stone("s1")
    plan = await ingest(diamonds, held)
    await work(plan)
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
    for until, expected in (("infinity", ("on_hold", "h1")), ("-infinity", ("available", None))):
        await diamonds.fetch(
            "update diamonds.diamonds set availability = 'on_hold', hold_id = 'h1', hold_expires_at = %s returning 1",
            until,
        )
        held.payload["discount"] += 1
        plan = await ingest(diamonds, held)
        await work(plan)
        await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
        assert await diamonds.fetch("select availability, hold_id from diamonds.diamonds") == [expected]


@pytest.mark.parametrize(
    ("supplied", "held", "availability"),
    [
        ("AVAILABLE", None, "available"),
        (None, None, "available"),
        ("Sold", None, "sold"),
        ("ON_HOLD", None, "on_hold"),
        ("AVAILABLE", "h9", "on_hold"),
        ("MEMO", None, "unavailable"),
    ],
)
async def test_availability_is_one_of_four_words(diamonds, supplied, held, availability):
    stone = diamonds.stone("s1")
    stone.payload["diamond"] |= {"availability": supplied, "HoldId": held}
    await work(await ingest(diamonds, stone))
    assert await diamonds.fetch("select availability, raw_availability, hold_id from diamonds.diamonds") == [
        (availability, supplied, held)
    ]


@pytest.mark.parametrize(
    ("supplied", "meant"), [("in_stock", "available"), ("reserved", "on_hold"), ("AVAILABLE", "available")]
)
async def test_after_a_hold_a_feeds_own_words_count_again(diamonds, supplied, meant):
    own = replace(NIVODA, vocabulary={"availability": {"in_stock": "available", "reserved": "on_hold"}})
    stone = diamonds.stone("s1")
    stone.payload["diamond"]["availability"] = supplied
    plan = await ingest(diamonds, stone)
    await consolidate(ConsolidateRows(run_id=plan.run_id, feed=plan.feed, worker="w1", seconds=60), own, "cents")
    [(diamond,)] = await diamonds.fetch(
        "update diamonds.diamonds set availability = 'on_hold', hold_id = 'h1', hold_expires_at = now() returning id"
    )
    assert (await trade.availability(diamond, "acme")).availability == meant


async def test_links_that_are_not_web_addresses_are_dropped(diamonds):
    stone = diamonds.stone("s1")
    stone.payload["diamond"] |= {"image": "javascript:alert(1)", "video": "http://videos.example.com/1"}
    await work(await ingest(diamonds, stone))
    assert await diamonds.fetch("select image_url, video_url from diamonds.diamonds") == [
        (None, "http://videos.example.com/1")
    ]


@pytest.mark.parametrize("none", ["None", "", " ", None, "n/a", "javascript:alert(1)"])
async def test_a_second_link_counts_where_the_first_is_none(diamonds, none):
    stone = diamonds.stone("s1")
    stone.payload["diamond"] |= {"video": none, "supplier_video_link": "https://v/2.mp4", "image": "HTTPS://X/a.jpg"}
    await work(await ingest(diamonds, stone))
    found = await diamonds.fetch("select image_url, video_url from diamonds.diamonds")
    assert found == [("https://X/a.jpg", "https://v/2.mp4")]


@pytest.mark.parametrize("none", ["None", "NULL", "n/a", "-", "", None])
async def test_what_says_that_it_is_none_names_nothing(diamonds, none):
    stone = diamonds.stone("s1", certNumber=none)
    stone.payload["diamond"] |= {"HoldId": none, "supplierStockId": none, "supplier": {"name": none}}
    await work(await ingest(diamonds, stone))
    found = await diamonds.fetch(
        "select availability, hold_id, certificate_number, supplier_name, supplier_stock_id from diamonds.diamonds"
    )
    assert found == [("available", None, None, None, None)]


async def test_defect_soft_delete_is_promised_and_absent(diamonds):
    """Of the system being replaced. Here diamonds no longer offered are deleted, and come back unchanged."""
    stones = [diamonds.stone(f"s{n}") for n in range(10)]
    plan = await ingest(diamonds, *stones)
    await work(plan)
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)

    plan = await ingest(diamonds, *stones[1:])
    await work(plan)
    missing = await mark_missing_deleted(plan.run_id, 0.2)
    assert (missing.active, missing.missing, missing.deleted) == (10, 1, True)
    again = await mark_missing_deleted(plan.run_id, 0.2)
    assert again == missing, "repeated, it is the answer of the first time"
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
    status = "select status, deleted_at is null from diamonds.diamonds where supplier_stone_id = 's0'"
    assert await diamonds.fetch(status) == [("deleted", False)]

    await work(await ingest(diamonds, *stones))
    assert await diamonds.fetch(status) == [("active", True)]
    assert await diamonds.fetch("select count(*) from diamonds.diamonds") == [(10,)]


@pytest.mark.parametrize(("gone", "deleted"), [(2, 2), (3, 0)], ids=["at the limit", "over it"])
async def test_rule_more_missing_diamonds_than_a_fifth_are_left_alone(diamonds, gone, deleted):
    stones = [diamonds.stone(f"s{n}") for n in range(10)]
    plan = await ingest(diamonds, *stones)
    await work(plan)
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
    plan = await ingest(diamonds, *stones[gone:])
    missing = await mark_missing_deleted(plan.run_id, 0.2)
    assert (missing.active, missing.missing, missing.deleted) == (10, gone, bool(deleted))
    assert await diamonds.fetch("select count(*) from diamonds.raw_diamonds") == [(10 - deleted,)]
    assert await diamonds.fetch("select count(*) from diamonds.diamonds where status = 'deleted'") == [(deleted,)]


@pytest.mark.parametrize("wrong", ["incremental", "capped", "failed", "unplanned"])
async def test_a_run_that_did_not_read_the_whole_feed_deletes_nothing(shop, diamonds, wrong):
    plan = await ingest(diamonds, diamonds.stone("s1"))
    await work(plan)
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
    run = await diamonds.begin(
        *(() if wrong == "unplanned" else (0, 10, 1000)),
        run_type="incremental" if wrong == "incremental" else "full",
        max_records=5 if wrong == "capped" else 0,
    )
    for number in range(0 if wrong == "unplanned" else 1 if wrong == "failed" else 2):
        await copy_pages(shop, run.task(number))
    with pytest.raises(Conflict, match="has not read the whole feed"):
        await mark_missing_deleted(run.plan.run_id, 1.0)
    assert await diamonds.fetch("select status from diamonds.diamonds") == [("active",)]


FANCY = "fancy_color, fancy_intensity, fancy_overtone, lab_grown, lab_grown_type, treated, video_url, certificate_url"


@pytest.mark.parametrize(
    ("certificate", "links", "wanted"),
    [
        (
            {"f_color": "yellow", "f_intensity": "FI", "f_overtone": " Brownish", "color": "FANCY", "treated": False},
            {"video": "", "supplier_video_link": "https://v.example.com/1"},
            ("YELLOW", "FANCY INTENSE", "BROWNISH", False, None, False, "https://v.example.com/1", None),
        ),
        (
            {"labgrown": None, "labgrown_type": "cvd", "pdfUrl": "https://c.example.com/1.pdf"},
            {"video": "https://v.example.com/2", "supplier_video_link": "https://v.example.com/other"},
            (None, None, None, True, "CVD", None, "https://v.example.com/2", "https://c.example.com/1.pdf"),
        ),
        (
            {"labgrown": False, "f_color": "None", "f_intensity": "Chameleon", "pdfUrl": "javascript:alert(1)"},
            {},
            (None, "CHAMELEON", None, False, None, None, None, None),
        ),
        (
            {"labgrown": None, "labgrown_type": "unheard of"},
            {},
            (None, None, None, None, "UNHEARD OF", None, None, None),
        ),
    ],
)
async def test_fancy_colours_lab_grown_types_and_links_are_read(diamonds, certificate, links, wanted):
    stone = diamonds.stone("s1", **certificate)
    stone.payload["diamond"] |= links
    await work(await ingest(diamonds, stone))
    assert await diamonds.fetch(f"select {FANCY} from diamonds.diamonds") == [wanted]


@pytest.mark.parametrize("field", ["f_color", "f_intensity", "f_overtone", "labgrown_type"])
async def test_a_fancy_word_that_is_none_fails_its_row(diamonds, field):
    plan = await ingest(diamonds, diamonds.stone("s1", **{field: {"name": "Yellow"}}), diamonds.stone("s2"))
    assert (await work(plan)).model_dump() == {"done": 1, "failed": 1, "finished": True}


async def test_a_field_that_lies_elsewhere_is_one_setting(diamonds):
    stone = diamonds.stone("s1", report={"link": "https://c.example.com/1.pdf"})
    plan = await ingest(diamonds, stone)
    elsewhere = NIVODA.at({"certificate_url": "diamond.certificate.report.link", "image_url": ""})
    task = ConsolidateRows(run_id=plan.run_id, feed=plan.feed, worker="w1", seconds=60)
    await consolidate(task, elsewhere, "cents")
    found = await diamonds.fetch("select certificate_url, image_url from diamonds.diamonds")
    assert found == [("https://c.example.com/1.pdf", None)]
