"""An agent with clients, on a migrated database, sweeps that are played in this process, and the routes to call."""

import json
import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from local.arm.servers import listening
from local.providers.identity import Identity
from orchestrators.followups.sending import send_followups
from shared.followups import id_tokens
from shared.followups.people import agents, clients
from shared.followups.people.models import AgentProfile, NewClient
from shared.platform.access.passwords import checking
from shared.platform.durable import Nothing
from shared.platform.stores.postgres import database, rows
from tests.fresh_attempts import forget_attempts
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from triggers.followups import followups

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


GOOGLE_CLIENT = "123-abc.apps.googleusercontent.com"
SECRET, ADMIN_KEY = "s" * 32, "the-admin-key"
OPERATIONS = [operation for routes in followups.routes for operation in routes.operations]


class Web:
    """Calls routes in this process, as whoever has signed in."""

    def __init__(self):
        self.token = None
        self.link = None

    async def __call__(self, method, path, body=None, *, status=200, admin=False):
        url = urlsplit(path)
        for operation in sorted(OPERATIONS, key=lambda one: one.name):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.route)
            if operation.method == method and (found := re.fullmatch(pattern, url.path)):
                break
        else:
            raise AssertionError(f"no route takes {method} {path}")
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"X-Admin-Key": ADMIN_KEY} if admin else {}
        request = func.HttpRequest(
            method=method,
            url=f"https://app.example.com{path}",
            headers=headers,
            route_params=found.groupdict(),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = await operation.answer(request)
        assert answer.status_code == status, answer.get_body()
        self.link = answer.headers.get("Link")
        return json.loads(answer.get_body() or b"null")

    async def pages(self, path):
        """All rows of an array, page by page as the header Link says."""
        found = await self("GET", path)
        while self.link:
            found += await self("GET", self.link.partition("<")[2].partition(">")[0])
        return found

    async def register(self, email="alice@example.com", **profile):
        given = {"email": email, "password": "a long password", "name": "Alice Agent", "company": "Acme"}
        given |= {"postal_address": "1 Main Street", "opens": "00:00", "closes": "23:59:59"}
        given |= {"working_days": [1, 2, 3, 4, 5, 6, 7], **profile}
        session = await self("POST", "/api/agents/register", given, admin=True)
        self.token = session["access_token"]
        return session["agent"]

    async def client(self, email="ann@example.com", **fields):
        return await self(
            "POST", "/api/clients", {"email": email, "name": "Ann Client", "create_tasks": True, **fields}
        )


@pytest.fixture
def web(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", SECRET)
    monkeypatch.setenv("ADMIN_API_KEY", ADMIN_KEY)
    monkeypatch.setattr(checking, "WAIT_SECONDS", 60)  # a busy machine has nobody wait in vain
    forget_settings()
    forget_attempts()
    yield Web()
    forget_attempts()


@pytest.fixture
async def google(web, monkeypatch):
    """The stand-in of Google's keys; registration is open."""
    identity = Identity()
    monkeypatch.setattr(id_tokens, "_keys_by_url", {})
    async with listening(identity.app()) as port:
        monkeypatch.setenv("GOOGLE_KEYS_URL", f"http://127.0.0.1:{port}/certs")
        monkeypatch.setenv("GOOGLE_CLIENT_ID", GOOGLE_CLIENT)
        monkeypatch.setenv("FOLLOWUPS_OPEN_REGISTRATION", "true")
        forget_settings()
        yield identity


def credential(identity, **changed):
    """What a page of ours posts after a person has signed in at Google."""
    claims = {
        "iss": "https://accounts.google.com",
        "aud": GOOGLE_CLIENT,
        "azp": GOOGLE_CLIENT,
        "sub": "110169484474386276334",
    }
    claims |= {"email": "Alice@Example.com", "email_verified": True, "name": "Alice  Agent", **changed}
    return {"credential": identity.token(**claims)}
