"""Pricing rules as they are stored: two editors never overwrite each other unseen."""

import asyncio
from decimal import Decimal

import pytest

from shared.diamonds.pricing import rules
from shared.diamonds.pricing.rules import change_rule, create_rule, delete_rule, hold_rules, list_rules, read_rule
from shared.diamonds.pricing.terms import RuleTerms
from shared.platform.errors import Conflict, NotFound, PreconditionFailed
from shared.platform.stores.postgres import database

TERMS = RuleTerms(markup_ratio=Decimal("1.2"))


async def version():
    async with database() as connection:
        return await hold_rules(connection)


async def test_a_rule_is_stored_changed_and_deleted(offers):
    before = await version()
    stored = await create_rule(
        RuleTerms(markup_ratio=Decimal("1.2"), shapes=("oval",), carat_max=Decimal(2), feed="nivoda")
    )
    assert (stored.revision, stored.shapes, stored.priority, stored.active) == (1, ("OVAL",), 100, True)
    changed = await change_rule(stored.id, TERMS, 1)
    assert (changed.revision, changed.shapes, changed.feed) == (2, None, None)
    assert changed.updated_at > stored.updated_at == stored.created_at
    assert await read_rule(stored.id) == changed
    await delete_rule(stored.id, 2)
    with pytest.raises(NotFound):
        await read_rule(stored.id)
    assert await version() == before + 3


async def test_rules_are_listed_in_the_order_in_which_they_are_tried(offers):
    ids = [(await offers.rule(priority=priority)).id for priority in (5, 1, 5)]
    assert [one.id for one in (await list_rules())[0]] == [ids[1], ids[0], ids[2]]


async def test_of_two_editors_of_one_revision_the_second_is_told(offers):
    stored = await offers.rule()
    answers = await asyncio.gather(
        *(change_rule(stored.id, RuleTerms(markup_ratio=Decimal(n)), stored.revision) for n in (2, 3)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in answers) == ["PreconditionFailed", "StoredRule"]
    with pytest.raises(PreconditionFailed, match="somebody else"):
        await delete_rule(stored.id, stored.revision)
    await delete_rule(stored.id, None)
    for gone in (change_rule(stored.id, TERMS, 1), delete_rule(stored.id, 1)):
        with pytest.raises(NotFound):
            await gone


async def test_a_rule_edited_by_hand_counts_as_well(offers):
    stored, before = await offers.rule(), await version()
    async with database() as connection:
        await connection.execute("update diamonds.pricing_rules set rating = 3")
    assert (await read_rule(stored.id)).revision == 2
    assert await version() == before + 1


async def test_no_more_rules_than_are_allowed(offers, monkeypatch):
    monkeypatch.setattr(rules, "MOST_RULES", 1)
    await offers.rule()
    with pytest.raises(Conflict) as refused:
        await offers.rule()
    assert refused.value.code == "too-many-rules"
