"""An agent with clients, on a migrated database."""

from types import SimpleNamespace

import pytest

from shared.followups.people import agents, clients
from shared.followups.people.models import AgentProfile, NewClient
from shared.platform.postgres import database, rows

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


@pytest.fixture
def crm(migrated):
    assert migrated
    return SimpleNamespace(fetch=fetch, execute=execute, agent=agent, client=client)
