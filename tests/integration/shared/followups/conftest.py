"""An agent with clients, on a migrated database, and sweeps that are played in this process."""

from types import SimpleNamespace

import pytest

from orchestrators.followups.sending import send_followups
from shared.followups.people import agents, clients
from shared.followups.people.models import AgentProfile, NewClient
from shared.platform.durable import Nothing
from shared.platform.stores.postgres import database, rows
from tests.fresh_settings import forget_settings
from tests.integration.player import Player

ALWAYS = {"time_zone": "UTC", "working_days": (1, 2, 3, 4, 5, 6, 7), "opens": "00:00", "closes": "23:59:59.999999"}


async def fetch(query, *parameters):
    """The rows of a query by column name."""
    async with database() as connection:
        return await rows(connection, query, parameters)


async def execute(query, *parameters):
    async with database() as connection:
        await connection.execute(query, parameters)


async def agent(email="agent@example.com", **profile):
    """An agent who may send at any hour, and whose mails need no approval."""
    given = {**ALWAYS, "send_mode": "automatic", "postal_address": "1 Main Street\nSpringfield", "company": "Acme"}
    return await agents.register(email, "hash", "Alice Agent", AgentProfile.model_validate({**given, **profile}))


async def client(of, email="ann@example.com", **fields):
    new = NewClient.model_validate({"name": "Ann Client", "email": email, "create_tasks": False, **fields})
    return await clients.create(of.id, new)


async def due(of, number=1, hours_ago=1.0, followup_type="Custom", **fields):
    """That many clients of the agent with a task that has been due for so long."""
    made = []
    for _ in range(number):
        [count] = await fetch("select count(*) as n from followups.clients")
        to = await client(of, f"c{count['n']}@example.com", **fields)
        await task(to, hours_ago, followup_type)
        made.append(to)
    return made


async def task(to, hours_ago=1.0, followup_type="Custom"):
    """A task for the client that has been due for so long; its number."""
    [made] = await fetch(
        "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)"
        " values (%s, %s, %s, now() - %s * interval '1 hour', now(), 'low') returning id",
        to.agent_id,
        to.id,
        followup_type,
        hours_ago,
    )
    return made["id"]


async def states():
    """How many mails are in which state."""
    return {
        row["state"]: row["n"] for row in await fetch("select state, count(*) as n from followups.emails group by 1")
    }


async def pass_time(minutes):
    """Let every lease and every planned moment be so much nearer, but for rows that somebody changes just now."""
    span = f"interval '{minutes} minutes'"
    await execute(
        f"update followups.emails set leased_until = leased_until - {span}, sending_at = sending_at - {span},"
        f" repeated_at = repeated_at - {span}, first_sending_at = first_sending_at - {span}"
        " where id in (select id from followups.emails for update skip locked)"
    )
    await execute(f"update followups.clients set last_contacted = last_contacted - {span}")
    await execute(
        f"update followups.tasks set scheduled_for = scheduled_for - {span}"
        " where id in (select id from followups.tasks where status = 'pending' for update skip locked)"
    )


async def sweep():
    """What one sweep came to."""
    return await Player().play(send_followups, Nothing())


@pytest.fixture
def mails(mails):
    """The sink, which here keeps a mail at once: its senders are threads of this process, as its own would be."""

    async def keep(_server, _session, envelope):
        return f"250 2.0.0 OK: queued as {mails.keep(envelope, envelope.content)}"

    mails.handle_DATA = keep
    return mails


@pytest.fixture
def crm(migrated, monkeypatch):
    assert migrated
    monkeypatch.setenv("FOLLOWUPS_MAILS_PER_MINUTE", "0")
    monkeypatch.setenv("FOLLOWUPS_SENDER", "followups@example.com")
    monkeypatch.setenv("FOLLOWUPS_PUBLIC_URL", "https://app.example.com")
    forget_settings()
    return SimpleNamespace(
        agent=agent, client=client, due=due, execute=execute, fetch=fetch, pass_time=pass_time, states=states,
        sweep=sweep, task=task,
    )  # fmt: skip
