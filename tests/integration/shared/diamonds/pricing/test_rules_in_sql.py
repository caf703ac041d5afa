"""The SQL functions that price every diamond agree with their oracle, also for rules that are not stored."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from shared.diamonds.pricing import repricing
from shared.diamonds.pricing.rules import create_rule
from shared.diamonds.pricing.terms import PricingRule, RuleTerms
from shared.platform.stores.postgres import close_pools, database, rows
from tests.unit.shared.diamonds.pricing.oracle import Unpriced, price

terms = st.builds(
    RuleTerms,
    priority=st.integers(1, 3) | st.sampled_from([-(2**31), 2**31 - 1]),
    carat_min=st.none() | st.decimals("0", "2", places=2),
    carat_max=st.none() | st.decimals("2", "5", places=2),
    shapes=st.none() | st.sets(st.sampled_from(["ROUND", "oval", "PEAR"]), min_size=1).map(tuple),
    lab_grown=st.none() | st.booleans(),
    feed=st.none() | st.sampled_from(["nivoda", "second"]),
    markup_ratio=st.decimals("0.0001", "9.9999", places=4),
    rating=st.none() | st.integers(1, 10),
    active=st.sampled_from([True, True, False]),
)
stones = st.builds(
    Unpriced,
    feed=st.sampled_from(["nivoda", "second"]),
    shape=st.sampled_from(["ROUND", "OVAL", "PEAR", "HEART"]),
    carats=st.decimals("0.01", "5", places=2),
    lab_grown=st.none() | st.booleans(),
    price=st.decimals("0.01", "99999999.99", places=2),
)
ASK = """
select m.rule, m.markup_ratio, m.rating, diamonds.retail_price(%(price)s, m.markup_ratio) as retail_price
from diamonds.markup_of(%(feed)s, %(shape)s, %(carats)s, %(lab_grown)s,
    jsonb_populate_record(null::diamonds.pricing_rules, %(instead)s), %(without)s) m
"""


def test_the_function_gives_what_the_oracle_gives(migrated):
    async def example(stored, asked, instead, without):
        async with database() as connection:
            await connection.execute("truncate diamonds.pricing_rules")
        known = [PricingRule.model_validate((await create_rule(one)).model_dump(include=set(PricingRule.model_fields)))
                 for one in stored]  # fmt: skip
        left_out = known[without].id if without < len(known) else None
        candidate = instead and PricingRule(id=2**63 - 1, **instead.model_dump())
        rules = [one for one in known if one.id != left_out] + ([candidate] if candidate else [])
        for stone in asked:
            given = stone.model_dump() | {
                "instead": candidate and Jsonb(candidate.model_dump(mode="json")),
                "without": left_out,
            }
            async with database() as connection:
                found = await rows(connection, ASK, given)
            expected = price(stone, rules).model_dump(exclude={"price_per_carat"})
            assert found == [expected]

    with asyncio.Runner() as runner:
        try:
            given(st.lists(terms, max_size=5), st.lists(stones, min_size=1, max_size=4), st.none() | terms,
                  st.integers(0, 9))(
                settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])(
                    lambda stored, asked, instead, without: runner.run(example(stored, asked, instead, without))
                )
            )()  # fmt: skip
        finally:
            runner.run(close_pools())


async def test_shapes_of_a_rule_that_was_written_by_hand_are_kept_in_upper_case(migrated):
    async with database() as connection:
        await connection.execute(
            "insert into diamonds.pricing_rules (shapes, markup_ratio) values (array['Round', 'pear'], 1.3)"
        )
        await connection.execute("update diamonds.pricing_rules set shapes = shapes || 'Oval'::text")
        assert await rows(connection, "select shapes from diamonds.pricing_rules") == [
            {"shapes": ["ROUND", "PEAR", "OVAL"]}
        ]


async def test_the_rule_is_looked_for_once_for_diamonds_that_are_alike(migrated):
    """Looked for anew for each diamond, 500 rules would cost consolidation and re-pricing many times their own work."""
    async with database() as connection:
        await connection.execute(
            "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price,"
            " price_per_carat, retail_price, markup_ratio, availability)"
            " select 'nivoda', n, n, 'ROUND', 1 + n % 10, 100, 1, 1, 1, 'available' from generate_series(1, 20000) n"
        )
    async with database() as connection:
        await connection.execute("analyze diamonds.diamonds")
        explain = f"explain {repricing._BATCH}"
        plan = await rows(connection, explain, {"after": 0, "feed": "nivoda", "rows": repricing.BATCH_ROWS})
    lines = [row["QUERY PLAN"].strip() for row in plan]
    assert any(line.startswith("->  Memoize") for line in lines), lines
