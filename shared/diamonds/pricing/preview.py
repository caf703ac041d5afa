"""What a change of one pricing rule would do to the diamonds on offer, found without changing anything."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from shared.diamonds.models import FeedName, Model
from shared.diamonds.pricing.repricing import DIFFERS, PRICED
from shared.diamonds.pricing.rules import read_rule
from shared.diamonds.pricing.terms import RuleTerms
from shared.platform.errors import InvalidInput, TransientError
from shared.platform.stores.postgres import database, rows

LIMIT_SECONDS = 30
"""How long a preview may take; half a million diamonds take about one second."""
_NEW_ID = 2**63 - 1
"""A rule that is not stored yet comes after all others of its priority, as its id will."""


class RuleChange(Model):
    """A change to look at: `rule` alone is a new one, with `rule_id` that one changed; `rule_id` alone is deleted."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in ("rule", "rule_id")
            ]
        }
    )
    rule_id: int | None = Field(default=None, ge=1, lt=2**63, description="the rule to change or delete")
    rule: RuleTerms | None = Field(default=None, description="its new terms")


class FeedEffect(Model):
    """What re-pricing one feed after the change would do. Values are sums of retail prices in US dollars."""

    feed: FeedName
    diamonds: int = Field(ge=0, description="on offer")
    fitting: int = Field(ge=0, description="of those: the rule would decide their price")
    changed: int = Field(ge=0, description="diamonds whose price, ratio or rating would change")
    value_before: float = Field(description="of the changed diamonds")
    value_after: float
    difference: float


class Effect(Model):
    """What re-pricing every feed after the change would do. Earlier changes that were not applied yet count too."""

    diamonds: int = Field(ge=0, description="on offer")
    fitting: int = Field(ge=0, description="of those: the rule would decide their price")
    changed: int = Field(ge=0, description="diamonds whose price, ratio or rating would change")
    value_before: float = Field(description="retail prices of the changed diamonds, US dollars")
    value_after: float
    difference: float
    feeds: list[FeedEffect]


_EFFECT = f"""
with changed as materialized (
    select jsonb_populate_record(null::diamonds.pricing_rules, %(instead)s) as rule
), effect as (
    select d.feed, count(*) as diamonds, count(*) filter (where n.rule = %(id)s) as fitting,
        count(*) filter (where {DIFFERS}) as changed,
        coalesce(sum(d.retail_price) filter (where {DIFFERS}), 0) as value_before,
        coalesce(sum(n.retail_price) filter (where {DIFFERS}), 0) as value_after
    from changed c cross join diamonds.diamonds d {PRICED.format(", c.rule, %(without)s")}
    where d.status = 'active' group by d.feed
)
select feed, diamonds, fitting, changed, value_before, value_after, value_after - value_before as difference
from effect order by feed
"""  # noqa: S608 - parts written in this project


async def preview(change: RuleChange) -> Effect:
    """How many diamonds the change would touch, and what they would be worth, if all feeds were re-priced after it.

    Raises:
        InvalidInput: neither a rule nor its id was given.
        NotFound: there is no rule of that id.
        TransientError: it took longer than LIMIT_SECONDS (`preview-too-long`).
    """
    from psycopg.errors import QueryCanceled  # noqa: PLC0415 - loads where it is needed
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - loads where it is needed

    if change.rule is None and change.rule_id is None:
        raise InvalidInput(
            "Nothing would change.", field="rule", remedy="Give the terms of a rule, the id of one, or both."
        )
    if change.rule_id is not None:
        await read_rule(change.rule_id)
    rule_id = change.rule_id or _NEW_ID
    instead = change.rule and Jsonb(change.rule.model_dump(mode="json") | {"id": rule_id})
    parameters = {"id": rule_id, "without": change.rule_id, "instead": instead}
    async with database() as connection:
        await connection.execute("select set_config('statement_timeout', %s, true)", (f"{LIMIT_SECONDS}s",))
        try:
            found = await rows(connection, _EFFECT, parameters, prepare=False)
        except QueryCanceled:
            raise TransientError(
                f"The preview was given up after {LIMIT_SECONDS} s.",
                code="preview-too-long",
                remedy="Nothing was changed. Try again when the database is less busy.",
            ) from None
    sums = ("diamonds", "fitting", "changed", "value_before", "value_after", "difference")
    return Effect.model_validate({name: sum(row[name] for row in found) for name in sums} | {"feeds": found})
