"""The pricing rules in the database, and the lock that keeps them still while prices are written.

Whoever writes prices calls `hold_rules` first. A change of the rules waits for such a transaction to commit, and the
next one waits for the change: no price of the old rules is ever stored after the new ones are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from shared.diamonds.pricing.terms import PricingRule, RuleTerms
from shared.platform.errors import Conflict, NotFound, PreconditionFailed
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


MOST_RULES = 500
"""Every diamond is compared with every rule, so that they cannot be as many as one likes."""


class StoredRule(PricingRule):
    """A rule as it stands; `revision` grows with every change of it."""

    revision: int = Field(ge=1)
    created_at: AwareDatetime
    updated_at: AwareDatetime


_TERMS = tuple(RuleTerms.model_fields)
_COLUMNS = ", ".join(("id", *_TERMS, "revision", "created_at", "updated_at"))
_VALUES = ", ".join(f"%({name})s" for name in _TERMS)
_ALL = f"select {_COLUMNS} from diamonds.pricing_rules"  # noqa: S608 - names written in this project
_INSERT = f"insert into diamonds.pricing_rules ({', '.join(_TERMS)}) values ({_VALUES}) returning {_COLUMNS}"  # noqa: S608 - as above
_UPDATE = (
    f"update diamonds.pricing_rules set ({', '.join(_TERMS)}) = ({_VALUES}) where id = %(id)s returning {_COLUMNS}"  # noqa: S608 - as above
)


async def list_rules() -> tuple[list[StoredRule], int]:
    """Every rule, in the order in which they are tried, and their version."""
    async with database() as connection:
        version = await hold_rules(connection)
        found = await rows(connection, f"{_ALL} order by priority, id")
    return [StoredRule.model_validate(row) for row in found], version


async def read_rule(rule_id: int) -> StoredRule:
    """One rule.

    Raises:
        NotFound: there is none of that id.
    """
    async with database() as connection:
        return await _read(connection, rule_id)


async def create_rule(terms: RuleTerms) -> StoredRule:
    """Store a new rule. Diamonds keep their prices until they are consolidated or re-priced.

    Raises:
        Conflict: there are as many as are allowed (`too-many-rules`).
    """
    async with database() as connection:
        await _hold_for_change(connection)
        if (await rows(connection, "select count(*) as rules from diamonds.pricing_rules"))[0]["rules"] >= MOST_RULES:
            raise Conflict(
                f"There are {MOST_RULES} pricing rules, and no more are allowed.",
                code="too-many-rules",
                remedy="Delete one that is not used.",
            )
        stored = await rows(connection, _INSERT, _given(terms))
    return StoredRule.model_validate(stored[0])


async def change_rule(rule_id: int, terms: RuleTerms, revision: int | None) -> StoredRule:
    """Replace the terms of a rule that is still at `revision`, the one its editor has seen; None: at whichever.

    Raises:
        NotFound: there is none of that id.
        PreconditionFailed: somebody else has changed it since.
    """
    async with database() as connection:
        await _check_revision(connection, rule_id, revision)
        stored = await rows(connection, _UPDATE, {**_given(terms), "id": rule_id})
    return StoredRule.model_validate(stored[0])


async def delete_rule(rule_id: int, revision: int | None) -> None:
    """Delete a rule that is still at `revision`. Raises as `change_rule` does."""
    async with database() as connection:
        await _check_revision(connection, rule_id, revision)
        await connection.execute("delete from diamonds.pricing_rules where id = %s", (rule_id,))


async def hold_rules(connection: AsyncConnection[Any]) -> int:
    """Keep the rules as they are until the transaction ends; their version. Many may hold them at once."""
    await connection.execute("lock table diamonds.pricing_rules in share mode")
    return (await rows(connection, "select version from diamonds.pricing_version"))[0]["version"]


async def _check_revision(connection: AsyncConnection[Any], rule_id: int, revision: int | None) -> None:
    await _hold_for_change(connection)
    stored = await _read(connection, rule_id)
    if revision is not None and stored.revision != revision:
        raise PreconditionFailed(
            f"Pricing rule {rule_id} is at revision {stored.revision}, not {revision}: somebody else has changed it.",
            remedy="Read it again, and change what you then see.",
        )


async def _hold_for_change(connection: AsyncConnection[Any]) -> None:
    # Taken before the first look: two that look first and then both want to write would wait for each other for ever.
    await connection.execute("lock table diamonds.pricing_rules in share row exclusive mode")


async def _read(connection: AsyncConnection[Any], rule_id: int) -> StoredRule:
    found = await rows(connection, f"{_ALL} where id = %s", (rule_id,))
    if not found:
        raise NotFound(f"There is no pricing rule {rule_id}.", code="unknown-rule")
    return StoredRule.model_validate(found[0])


def _given(terms: RuleTerms) -> dict[str, Any]:
    values = terms.model_dump()
    return values | {"shapes": terms.shapes and list(terms.shapes)}
