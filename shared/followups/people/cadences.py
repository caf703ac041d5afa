"""Whose cadence has which steps: everybody's, and those of agents who have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from shared.followups.people.models import ResponseBody
from shared.followups.scheduling.cadence import CUSTOM, Priority, Step
from shared.platform.models import RequestBody
from shared.platform.printable import Name
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

MOST_STEPS = 50

_STEPS = """
select followup_type, days, priority, channel, agent_id is not null as own from followups.cadence_steps s
where agent_id = %(agent)s
    or (agent_id is null and not exists (select from followups.cadence_steps o where o.agent_id = %(agent)s))
order by days, id
"""


def _no_custom(name: str) -> str:
    if name.casefold() == CUSTOM.casefold():
        raise ValueError("this is what tasks beside the cadence are called")
    return name


def _each_once(steps: list[CadenceStep]) -> list[CadenceStep]:
    if len({step.followup_type.casefold() for step in steps}) < len(steps):
        raise ValueError("a step is there twice")
    return steps


class CadenceStep(RequestBody):
    """A step, and when it comes."""

    followup_type: Annotated[Name, Field(max_length=100), AfterValidator(_no_custom)]
    days: Annotated[int, Field(ge=0, le=3650, strict=True, description="After the client was entered")]
    priority: Priority = "medium"
    channel: Literal["email"] = "email"


class CadenceChange(RequestBody):
    """All steps; those that are left out end."""

    steps: Annotated[list[CadenceStep], Field(min_length=1, max_length=MOST_STEPS), AfterValidator(_each_once)]


class Cadence(ResponseBody):
    """What follows after a client is entered, in the order of time."""

    own: bool = Field(description="false: these are everybody's steps")
    steps: list[Step]


async def steps_of(connection: AsyncConnection[Any], agent_id: int | None) -> list[Step]:
    """The steps that a new client of the agent gets, in the caller's transaction."""
    return (await _read(connection, agent_id)).steps


async def read(agent_id: int | None) -> Cadence:
    """The agent's cadence; everybody's for None."""
    async with database() as connection:
        return await _read(connection, agent_id)


async def replace(agent_id: int | None, changed: CadenceChange) -> Cadence:
    """Give the agent these steps, or everybody who has none of its own for None.

    They are for clients who are entered from now on; what is planned stays.
    """
    async with database() as connection:
        await _clear(connection, agent_id)
        await connection.cursor().executemany(
            "insert into followups.cadence_steps (agent_id, followup_type, days, priority) values (%s, %s, %s, %s)",
            [(agent_id, step.followup_type, step.days, step.priority) for step in changed.steps],
        )
        return await _read(connection, agent_id)


async def use_default(agent_id: int) -> Cadence:
    """Let the agent have everybody's cadence again; may be repeated."""
    async with database() as connection:
        await _clear(connection, agent_id)
        return await _read(connection, agent_id)


async def _clear(connection: AsyncConnection[Any], agent_id: int | None) -> None:
    """One writer at a time, so that two who save at once do not leave the steps of both."""
    await connection.execute("lock table followups.cadence_steps in share row exclusive mode")
    await connection.execute("delete from followups.cadence_steps where agent_id is not distinct from %s", (agent_id,))


async def _read(connection: AsyncConnection[Any], agent_id: int | None) -> Cadence:
    steps = await rows(connection, _STEPS, {"agent": agent_id})
    own = any(row.pop("own") for row in steps)
    return Cadence(own=own, steps=[Step.model_validate(row) for row in steps])
