"""Re-pricing does what the rules say and the preview promised, once, whatever happens meanwhile."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing import repricing
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows, RepriceFeed
from shared.diamonds.pricing.preview import RuleChange, preview
from shared.diamonds.pricing.repricing import begin, fail, last_repricings, read_repricing, reprice
from shared.diamonds.pricing.rules import change_rule, create_rule, delete_rule, list_rules
from shared.diamonds.pricing.terms import PricingRule, RuleTerms
from shared.platform.errors import Conflict, NotFound
from shared.platform.stores.postgres import close_pools, database
from tests.unit.shared.diamonds.pricing.oracle import Unpriced, price

STATE = "select id, retail_price, markup_ratio, rating, xmin::text from diamonds.diamonds order by id"
FEED = ("nivoda", "second")
terms = st.builds(
    RuleTerms,
    priority=st.integers(1, 3),
    carat_min=st.none() | st.decimals("0", "1", places=2),
    carat_max=st.none() | st.decimals("1", "3", places=2),
    shapes=st.none() | st.lists(st.sampled_from(["ROUND", "Oval", "pear"]), min_size=1, max_size=2).map(tuple),
    lab_grown=st.none() | st.booleans(),
    feed=st.none() | st.sampled_from(FEED),
    markup_ratio=st.sampled_from([Decimal("1.15"), Decimal("1.30"), Decimal("0.9999")]),
    rating=st.none() | st.integers(1, 10),
    active=st.sampled_from([True, True, False]),
)
stones = st.lists(
    st.fixed_dictionaries(
        {
            "feed": st.sampled_from(FEED),
            "shape": st.sampled_from(["ROUND", "OVAL", "PEAR"]),
            "carats": st.decimals("0.01", "3", places=2),
            "lab_grown": st.none() | st.booleans(),
            "price": st.decimals("0.01", "99999.99", places=2),
            "ratio": st.sampled_from(["1.15", "1.30"]),
            "rating": st.none() | st.just(5),
            "status": st.sampled_from(["active", "active", "active", "deleted"]),
        }
    ),
    max_size=12,
)


@st.composite
def changes(draw):
    """Rules, and what is done to them: one more, one changed (by its place), or one deleted."""
    rules = draw(st.lists(terms, max_size=5))
    kinds = ["create"] if not rules else ["create", "change", "delete"]
    return rules, draw(st.sampled_from(kinds)), draw(st.integers(0, max(len(rules) - 1, 0))), draw(terms)


async def apply(kind, rule_id, new):
    if kind == "create":
        await create_rule(new)
    elif kind == "change":
        await change_rule(rule_id, new, None)
    else:
        await delete_rule(rule_id, None)


def asked(kind, rule_id, new):
    return RuleChange(rule_id=None if kind == "create" else rule_id, rule=None if kind == "delete" else new)


def test_the_preview_is_what_repricing_then_does_and_retail_is_the_rule(offers):
    async def example(offered, change):
        existing, kind, place, new = change
        async with database() as connection:
            await connection.execute("truncate diamonds.pricing_rules, diamonds.diamonds cascade")
        await offers.offer(*offered)
        ids = [(await create_rule(one)).id for one in existing]
        rule_id = ids[place] if ids else None
        before = await rows(STATE)
        forecast = await preview(asked(kind, rule_id, new))
        assert await rows(STATE) == before, "a preview changes nothing"
        await apply(kind, rule_id, new)
        done = [await offers.reprice_all(feed) for feed in FEED]
        after = await rows(STATE)
        assert sum(one.changed for one in done) == forecast.changed
        assert sum(one.changed for one in done) == sum(old != now for old, now in zip(before, after, strict=True))
        assert forecast.difference == pytest.approx(sum(one.value_change for one in done))
        assert forecast.value_after - forecast.value_before == pytest.approx(forecast.difference)
        assert {one.feed: one.changed for one in forecast.feeds if one.changed} == {
            one.feed: one.changed for one in done if one.changed
        }
        assert forecast.diamonds == sum(stone["status"] == "active" for stone in offered)
        await assert_priced_by_the_rules(before)
        again = [await offers.reprice_all(feed) for feed in FEED]
        assert [one.changed for one in again] == [0, 0]
        assert await rows(STATE) == after, "repeated, it writes nothing"

    with asyncio.Runner() as runner:
        try:
            given(stones, changes())(
                settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])(
                    lambda offered, change: runner.run(example(offered, change))
                )
            )()
        finally:
            runner.run(close_pools())


async def rows(query, *parameters):
    async with database() as connection:
        return await (await connection.execute(query, parameters)).fetchall()


async def assert_priced_by_the_rules(before=()):
    """Every diamond on offer has the price that the pure rule gives; those not on offer are as they were."""
    rules = [
        PricingRule.model_validate(one.model_dump(include=set(PricingRule.model_fields)))
        for one in (await list_rules())[0]
    ]
    untouched = {row[0]: row[1:4] for row in before}
    for id_, status, *facts, retail, ratio, rating in await rows(
        "select id, status, feed, shape, carats, lab_grown, price_model_price, retail_price, markup_ratio, rating"
        " from diamonds.diamonds"
    ):
        if status == "deleted":
            assert (retail, ratio, rating) == untouched[id_]
            continue
        stone = Unpriced(**dict(zip(("feed", "shape", "carats", "lab_grown", "price"), facts, strict=True)))
        expected = price(stone, rules)
        assert (retail, ratio, rating) == (expected.retail_price, expected.markup_ratio, expected.rating)


async def test_it_goes_on_from_its_mark_in_time_boxes(offers, monkeypatch):
    monkeypatch.setattr(repricing, "BATCH_ROWS", 10)
    await offers.offer(*({} for _ in range(25)))
    await offers.rule()
    started = await begin(RepriceFeed())
    boxes = [await reprice(started.repricing_id, 1e-9) for _ in range(3)]
    assert [(box.looked_at, box.changed, box.status) for box in boxes] == [
        (10, 10, "running"), (20, 20, "running"), (25, 25, "completed"),
    ]  # fmt: skip
    assert boxes[-1].value_change == 25 * 150
    assert await reprice(started.repricing_id, 60) == boxes[-1], "a repeated delivery gets the answer"
    assert (await last_repricings())[0] == boxes[-1]


async def test_deliveries_at_once_do_each_batch_once(offers, monkeypatch):
    monkeypatch.setattr(repricing, "BATCH_ROWS", 7)
    await offers.offer(*({} for _ in range(100)))
    await offers.rule()
    started = await begin(RepriceFeed())
    await asyncio.gather(*(reprice(started.repricing_id, 60) for _ in range(3)))
    done = await read_repricing(started.repricing_id)
    assert (done.looked_at, done.changed, done.status) == (100, 100, "completed")


async def test_who_dies_before_the_commit_has_done_nothing(offers, diamonds):
    await offers.offer({})
    await offers.rule()
    started = await begin(RepriceFeed())

    class Killed(Exception):
        pass

    @asynccontextmanager
    async def dies(connecting):
        async with connecting as connection:
            yield connection
            raise Killed

    with pytest.raises(Killed), diamonds.through(dies):
        await reprice(started.repricing_id, 60)
    assert (await rows("select retail_price from diamonds.diamonds"))[0] == (Decimal("1150.00"),)
    assert (await read_repricing(started.repricing_id)).changed == 0
    assert (await reprice(started.repricing_id, 60)).changed == 1


async def test_rules_that_change_meanwhile_make_it_begin_again(offers, monkeypatch):
    monkeypatch.setattr(repricing, "BATCH_ROWS", 10)
    await offers.offer(*({} for _ in range(25)))
    first = await offers.rule()
    started = await begin(RepriceFeed())
    await reprice(started.repricing_id, 1e-9)
    await change_rule(first.id, RuleTerms(markup_ratio=Decimal("1.40")), first.revision)
    done = await reprice(started.repricing_id, 60)
    assert (done.status, done.restarts, done.looked_at, done.changed) == ("completed", 1, 25, 35)
    assert done.rules_version == started.rules_version + 1
    assert done.value_change == 25 * 250
    await assert_priced_by_the_rules()


async def test_a_new_one_supersedes_one_that_was_left_running(offers):
    await offers.offer({})
    left = await begin(RepriceFeed())
    new = RepriceFeed()
    assert (await begin(new)).status == "running"
    assert await begin(new) == await begin(new)
    with pytest.raises(Conflict, match="superseded"):
        await reprice(left.repricing_id, 60)
    with pytest.raises(Conflict, match="superseded"):
        await begin(RepriceFeed(repricing_id=left.repricing_id))
    given_up = await fail(new.repricing_id, "why")
    assert (given_up.status, given_up.error) == ("failed", "why")
    assert (await fail(left.repricing_id, "late")).status == "superseded"
    with pytest.raises(NotFound):
        await reprice(uuid4(), 60)


async def test_another_feed_keeps_its_prices(offers):
    await offers.offer({}, {"feed": "second"})
    await offers.rule()
    assert (await offers.reprice_all()).changed == 1
    assert await rows("select feed, markup_ratio from diamonds.diamonds order by feed") == [
        ("nivoda", Decimal("1.3000")), ("second", Decimal("1.1500")),
    ]  # fmt: skip


async def test_a_rule_changes_between_claims_never_under_one(offers, diamonds):
    """A claim that had read the old rules and stored its prices after a re-pricing would leave them for ever."""
    feed_run = await diamonds.begin(0, 2**31 - 1)
    await copy_pages(diamonds.Shop(stones={0: diamonds.stone("s1")}), feed_run.task())
    task = ConsolidateRows(run_id=feed_run.plan.run_id, feed="nivoda", worker="w", seconds=60)
    claimed, go_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow(connecting):
        async with connecting as connection:
            yield connection
            if await (await connection.execute("select 1 from diamonds.diamonds")).fetchall():
                claimed.set()
                await go_on.wait()

    with diamonds.through(slow):
        claim = asyncio.create_task(consolidate(task, NIVODA, "cents"))
    await asyncio.wait_for(claimed.wait(), 30)
    change = asyncio.create_task(offers.rule())
    done, _ = await asyncio.wait([change], timeout=0.2)
    assert not done, "the change waits for the claim"
    go_on.set()
    await claim
    await change
    assert (await offers.reprice_all()).changed == 1
    await assert_priced_by_the_rules()


async def test_a_price_that_is_just_being_changed_is_not_overwritten_with_the_one_before(offers):
    await offers.offer({})
    await offers.rule()
    async with database() as supplier:
        await supplier.execute("update diamonds.diamonds set price_model_price = 2000, retail_price = 2600")
        repriced = asyncio.create_task(offers.reprice_all())
        waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        async with asyncio.timeout(30):
            while True:
                if await rows(waiting):
                    break
                await asyncio.sleep(0.01)
    assert (await repriced).status == "completed"
    assert await rows("select retail_price from diamonds.diamonds") == [(Decimal("2600.00"),)]
    await assert_priced_by_the_rules()


async def test_prices_are_right_after_consolidation_repricing_and_changes_at_once(offers, diamonds, monkeypatch):
    from shared.diamonds.pricing import consolidation

    monkeypatch.setattr(consolidation, "CLAIM_ROWS", 11)
    monkeypatch.setattr(repricing, "BATCH_ROWS", 13)
    names = [f"s{n:03}" for n in range(300)]
    first = await diamonds.begin(0, 2**31 - 1)
    await copy_pages(diamonds.Shop(stones={n: diamonds.stone(n, price=100) for n in names}), first.task())
    work = ConsolidateRows(run_id=first.plan.run_id, feed="nivoda", worker="w", seconds=60)
    await consolidate(work, NIVODA, "cents")
    await rows("update diamonds.run_metadata set status = 'completed', completed_at = now() returning 1")
    second = await diamonds.begin(0, 2**31 - 1)
    await copy_pages(diamonds.Shop(stones={n: diamonds.stone(n, price=200) for n in names}), second.task())
    work = ConsolidateRows(run_id=second.plan.run_id, feed="nivoda", worker="w", seconds=60)
    rule = await offers.rule()

    async def edit():
        current = rule
        for number in range(5):
            ratio = Decimal("1.20") + number / Decimal(10)
            current = await change_rule(rule.id, RuleTerms(markup_ratio=ratio), current.revision)
            await asyncio.sleep(0)
        return await offers.reprice_all()

    *_, last = await asyncio.gather(consolidate(work, NIVODA, "cents"), consolidate(work, NIVODA, "cents"), edit())
    assert last.status == "completed"
    await assert_priced_by_the_rules()
    assert await rows("select count(*), sum(price_model_price) from diamonds.diamonds") == [(300, Decimal(60_000))]
