"""A preview says what a change of a rule would do; that re-pricing does just that is shown with the re-pricing."""

import psycopg
import pytest

from shared.diamonds.pricing.preview import RuleChange, preview
from shared.platform.errors import TransientError


async def test_a_preview_that_takes_too_long_is_given_up_and_says_so(migrated, monkeypatch):
    monkeypatch.setattr("shared.diamonds.pricing.preview.LIMIT_SECONDS", 0.05)
    async with await psycopg.AsyncConnection.connect(migrated) as other:
        await other.execute("lock table diamonds.diamonds")
        with pytest.raises(TransientError, match=r"given up after 0\.05 s") as raised:
            await preview(RuleChange.model_validate({"rule": {"markup_ratio": "1.25"}}))
    assert raised.value.code == "preview-too-long"


def change(**parts):
    return RuleChange.model_validate(parts)


async def test_a_rule_that_is_not_stored_yet_comes_after_the_others_of_its_priority(offers):
    await offers.offer({}, {"feed": "second", "stone": "s2"}, {"status": "deleted", "stone": "s3"})
    await offers.rule()
    same = await preview(change(rule={"markup_ratio": "1.25"}))
    assert (same.diamonds, same.fitting, same.changed) == (2, 0, 2), "the stored rule was not applied yet"
    assert (same.value_before, same.value_after, same.difference) == (2300.0, 2600.0, 300.0)
    ahead = await preview(change(rule={"markup_ratio": "1.25", "priority": 99}))
    assert [(one.feed, one.fitting, one.difference) for one in ahead.feeds] == [
        ("nivoda", 1, 100.0),
        ("second", 1, 100.0),
    ]


async def test_what_a_deleted_rule_priced_gets_the_price_of_the_next(offers):
    await offers.offer({})
    rule = await offers.rule(shapes=["ROUND"])
    await offers.reprice_all()
    deleted = await preview(change(rule_id=rule.id))
    assert (deleted.fitting, deleted.changed, deleted.difference) == (0, 1, -150.0)
