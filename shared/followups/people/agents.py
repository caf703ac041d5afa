"""Agents: those who sign in, and in whose name clients are written to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.followups.people.models import Agent, AgentProfile, ProfileFields
from shared.followups.people.refusals import unknown_agent
from shared.platform.access.passwords.kinds import Cost, cost_in_effect
from shared.platform.errors import Conflict, InvalidInput
from shared.platform.stores.postgres import database, rows

_COLUMNS = ", ".join(Agent.model_fields)


async def register(email: str, password_hash: str, name: str, profile: ProfileFields) -> Agent:
    """A new agent who signs in with a password.

    Raises:
        Conflict: the address is taken.
    """
    columns = {name: value for name, value in _columns(profile).items() if value is not None}
    columns |= {"email": email, "password_hash": password_hash, "name": name, "auth_provider": "email"}
    return await _inserted(columns)


async def register_with_google(email: str, subject: str, name: str) -> Agent:
    """A new agent who signs in with Google, whose number of the person is `subject`.

    Raises:
        Conflict: the address is taken.
    """
    return await _inserted({"email": email, "google_sub": subject, "name": name, "auth_provider": "google"})


async def _inserted(columns: dict[str, Any]) -> Agent:
    names = ", ".join(columns)
    values = ", ".join(f"%({name})s" for name in columns)
    async with database() as connection:
        made = await rows(
            connection,
            f"insert into followups.agents ({names}) values ({values}) on conflict do nothing"  # noqa: S608 - the names are the model's
            f" returning {_COLUMNS}",
            columns,
        )
    if not made:
        raise Conflict("There is an agent with this address.", code="address-taken", remedy="Sign in instead.")
    return Agent.model_validate(made[0])


async def by_email(email: str) -> tuple[Agent, str | None] | None:
    """The agent of this address with the hash of the password; None if there is none."""
    async with database() as connection:
        agents = await rows(
            connection,
            f"select {_COLUMNS}, password_hash from followups.agents where email = %s",  # noqa: S608 - as above
            (email,),
        )
    return (Agent.model_validate(agents[0]), agents[0]["password_hash"]) if agents else None


async def by_google(subject: str) -> Agent | None:
    """The agent who is linked with this account of Google; None if there is none."""
    async with database() as connection:
        agents = await rows(connection, f"select {_COLUMNS} from followups.agents where google_sub = %s", (subject,))  # noqa: S608 - as above
    return Agent.model_validate(agents[0]) if agents else None


async def link_google(agent_id: int, subject: str) -> Agent:
    """Let the agent sign in with this account of Google as well; may be repeated.

    Raises:
        NotFound: there is no such agent.
        Conflict: another agent is linked with the account, or this one with another account.
    """
    from psycopg.errors import UniqueViolation  # noqa: PLC0415 - loads in the activity that needs it

    try:
        async with database() as connection:
            linked = await rows(
                connection,
                "update followups.agents set google_sub = %(subject)s, updated_at = now()"  # noqa: S608 - as above
                " where id = %(id)s and coalesce(google_sub, %(subject)s) = %(subject)s"
                f" returning {_COLUMNS}",
                {"id": agent_id, "subject": subject},
            )
    except UniqueViolation:
        raise Conflict("Another agent is linked with this account of Google.", code="google-taken") from None
    if not linked:
        await read(agent_id)
        raise Conflict("You are linked with another account of Google.", code="google-linked")
    return Agent.model_validate(linked[0])


async def read(agent_id: int) -> Agent:
    """The agent.

    Raises:
        NotFound: there is none of this number.
    """
    async with database() as connection:
        return _agent_of(await rows(connection, f"select {_COLUMNS} from followups.agents where id = %s", (agent_id,)))  # noqa: S608 - as above


async def signed_in(agent_id: int, since: datetime) -> Agent | None:
    """The agent, if a session that began then goes on: a new password ends all before it."""
    async with database() as connection:
        agents = await rows(
            connection,
            f"select {_COLUMNS} from followups.agents where id = %s"  # noqa: S608 - as above
            " and coalesce(date_trunc('second', sessions_from) <= %s, true)",
            (agent_id, since),
        )
    return Agent.model_validate(agents[0]) if agents else None


async def password_of(agent_id: int) -> str | None:
    """The hash of the agent's password; None if there is none."""
    async with database() as connection:
        agents = await rows(connection, "select password_hash from followups.agents where id = %s", (agent_id,))
    return agents[0]["password_hash"] if agents else None


async def set_password(agent_id: int, old: str | None, new: str) -> bool:
    """Replace the hash, and end all sessions; False if the old one is not the stored one any more."""
    async with database() as connection:
        done = await connection.execute(
            "update followups.agents set password_hash = %s, sessions_from = now(), updated_at = now()"
            " where id = %s and password_hash is not distinct from %s and is_active",
            (new, agent_id, old),
        )
    return bool(done.rowcount)


async def upgrade_hash(agent_id: int, old: str, new: str) -> None:
    """Keep the same password by a new hash; a password that was changed meanwhile stays as it is."""
    async with database() as connection:
        await connection.execute(
            "update followups.agents set password_hash = %s where id = %s and password_hash = %s", (new, agent_id, old)
        )


async def password_costs() -> Mapping[Cost, int]:
    """How many agents have a hash of each cost."""
    async with database() as connection:
        by_cost = await rows(
            connection,
            # Salt and hash come last; what is before them is the cost.
            "select min(password_hash) as one, count(*) as number from followups.agents where password_hash is not null"
            r" group by regexp_replace(password_hash, '[$][^$]*[$][^$]*$', '')",
        )
    costs: Counter[Cost] = Counter()
    for row in by_cost:
        costs[cost_in_effect(row["one"])] += row["number"]
    return costs


async def may_be_mailed_a_password(agent_id: int) -> bool:
    """Whether the last such mail is two minutes old; it counts as sent then."""
    async with database() as connection:
        done = await connection.execute(
            "update followups.agents set password_mailed_at = now()"
            " where id = %s and coalesce(password_mailed_at < now() - interval '2 minutes', true)",
            (agent_id,),
        )
    return bool(done.rowcount)


async def change(agent_id: int, profile: AgentProfile) -> Agent:
    """Change what the profile names.

    Raises:
        NotFound: there is no such agent.
        InvalidInput: the agent would have no name, or hours that end before they begin.
    """
    columns = _columns(profile)
    for field in ("name", "time_zone", "working_days", "opens", "closes", "send_mode", "daily_cap"):
        if field in columns and columns[field] is None:
            raise InvalidInput(f"An agent has a {field}; leave the field out to keep it.", field=field)
    sets = ", ".join([*(f"{name} = %({name})s" for name in columns), "updated_at = now()"])
    async with database() as connection:
        return _agent_of(
            await rows(
                connection,
                f"update followups.agents set {sets} where id = %(id)s returning {_COLUMNS}",  # noqa: S608 - as above
                {**columns, "id": agent_id},
            )
        )


async def pause(agent_id: int, *, paused: bool) -> Agent:
    """Hold all mails of the agent back, or let them go on; may be repeated.

    Raises:
        NotFound: there is no such agent.
    """
    moment = "coalesce(paused_at, now())" if paused else "null"
    async with database() as connection:
        return _agent_of(
            await rows(
                connection,
                f"update followups.agents set paused_at = {moment}, updated_at = now() where id = %s"  # noqa: S608 - as above
                f" returning {_COLUMNS}",
                (agent_id,),
            )
        )


def _columns(profile: ProfileFields) -> dict[str, Any]:
    columns = profile.model_dump(exclude_unset=True)
    if columns.get("working_days") is not None:
        columns["working_days"] = sorted(set(columns["working_days"]))
    return columns


def _agent_of(agents: list[dict[str, Any]]) -> Agent:
    if not agents:
        raise unknown_agent()
    return Agent.model_validate(agents[0])
