"""What the model has cost, and whether it may write more today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import Field

from shared.followups.people.models import ResponseBody
from shared.platform.stores.postgres import database, rows

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for a million tokens."""

    input: float
    output: float

    def dollars(self, input_tokens: int, output_tokens: int) -> float:
        """What a call costs."""
        return (input_tokens * self.input + output_tokens * self.output) / MILLION


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the model; `outcome` is `written`, or why nothing was."""

    model: str
    outcome: str
    input_tokens: int
    output_tokens: int
    dollars: float
    seconds: float


class DailyCost(ResponseBody):
    """The calls of one day (UTC) with one model and one outcome."""

    day: date
    model: str
    outcome: str = Field(description="written, or why nothing was")
    calls: int
    input_tokens: int
    output_tokens: int
    dollars: float


async def tokens_today() -> int:
    """Tokens of all calls since midnight UTC; calls under way are not among them."""
    async with database() as connection:
        [used] = await rows(
            connection,
            "select coalesce(sum(input_tokens + output_tokens), 0)::bigint as n from followups.drafts"
            " where created_at >= date_trunc('day', now(), 'UTC')",
        )
    return used["n"]


async def by_day(days: int) -> list[DailyCost]:
    """The calls of the last days, the newest first."""
    async with database() as connection:
        days_and_models = await rows(
            connection,
            "select date_trunc('day', created_at, 'UTC')::date as day, model, outcome, count(*) as calls,"
            " sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,"
            " sum(dollars)::float as dollars from followups.drafts"
            " where created_at >= date_trunc('day', now(), 'UTC') - make_interval(days => %s)"
            " group by 1, 2, 3 order by 1 desc, 2, 3",
            (days - 1,),
        )
    return [DailyCost.model_validate(row) for row in days_and_models]


async def record(call: Call) -> None:
    """Store what a call has cost."""
    async with database() as connection:
        await connection.execute(
            "insert into followups.drafts (model, outcome, input_tokens, output_tokens, dollars, seconds)"
            " values (%s, %s, %s, %s, %s, %s)",
            (call.model, call.outcome, call.input_tokens, call.output_tokens, call.dollars, call.seconds),
        )
