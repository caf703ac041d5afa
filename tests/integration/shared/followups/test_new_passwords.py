"""A new password by mail: whom it reaches, and how often its link is good."""

import pytest

from shared.followups.people import tokens
from tests.integration.shared.followups.passwords import ADDRESS, NEW, ask, link, page
from triggers.followups.accounts import password


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(password, "ANSWER_SECONDS", 0)


async def test_the_link_sets_a_password_once_and_ends_all_sessions(web, crm, mails):
    await web.register(ADDRESS)
    await ask(web, " Alice@Example.com ")
    [mail] = mails.mails(9)
    assert (mail.recipients, mail.subject.strip()) == ([ADDRESS], "Set a new password")
    assert "List-Unsubscribe" not in mail.headers
    query = link(mails)
    status, text = await page("GET", query=query)
    token = query.removeprefix("token=")
    assert (status, token in text) == (200, True)
    assert (await page("POST", form={"token": token, "password": "short"}))[0] == 422
    assert (await page("POST", form={"token": token, "password": NEW}))[0] == 200
    assert (await page("POST", form={"token": token, "password": "another one again"}))[0] == 401
    await crm.execute("update followups.agents set sessions_from = now() + interval '2 seconds'")
    await web("GET", "/api/agents/me", status=401)
    await web("POST", "/api/agents/login", {"email": ADDRESS, "password": "a long password"}, status=401)
    session = await web("POST", "/api/agents/login", {"email": ADDRESS, "password": NEW})
    await crm.execute("update followups.agents set sessions_from = now()")
    web.token = session["access_token"]
    assert (await web("GET", "/api/agents/me"))["email"] == ADDRESS


@pytest.mark.parametrize(
    "case",
    [("cadence", "unsubscribed", 1), ("cadence", "complaint", 1), ("all", "bounce", 0), ("all", "provider-list", 0)],
)
async def test_what_keeps_follow_ups_away_lets_account_mail_through_but_a_hard_bounce_does_not(web, crm, mails, case):
    """A suppressed address asks for its own password mail, and for a test mail to itself."""
    scope, reason, number = case
    await web.register(ADDRESS)
    await crm.execute(
        "insert into followups.suppressions (address, scope, reason) values (%s, %s, %s)", ADDRESS, scope, reason
    )
    same = await ask(web)
    assert len(mails.mails(9)) == number
    assert await ask(web, "nobody@example.com") == same
    client = await web.client(create_tasks=False)
    mail = await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "x", "body": "y"})
    await web("POST", f"/api/emails/{mail['id']}/test", status=200 if number else 409)
    assert len(mails.mails(9)) == 2 * number


async def test_a_client_who_unsubscribed_and_is_an_agent_too_gets_no_follow_up_and_its_own_password(web, crm, mails):
    await web.register("bob@example.com", send_mode="automatic")
    await web.client(ADDRESS, create_tasks=False)
    await web.register(ADDRESS)
    await crm.execute(
        "insert into followups.suppressions (address, scope, reason) values (%s, 'cadence', 'x')", ADDRESS
    )
    await crm.execute(
        "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)"
        " select agent_id, id, 'Custom', now(), now(), 'low' from followups.clients"
    )
    assert (await crm.sweep()).sent == 0
    await ask(web)
    assert [one.subject.strip() for one in mails.mails(9)] == ["Set a new password"]


async def test_one_mail_in_two_minutes_and_none_for_who_is_not_active(web, crm, mails):
    await web.register(ADDRESS)
    for _ in range(3):
        await ask(web)
    assert len(mails.mails(9)) == 1
    await crm.execute(
        "update followups.agents set password_mailed_at = now() - interval '3 minutes', is_active = false"
    )
    await ask(web)
    assert len(mails.mails(9)) == 1


async def test_a_token_of_another_kind_is_no_link_and_a_link_signs_nobody_in(web, mails):
    agent = await web.register(ADDRESS)
    for other in (tokens.issue(agent["id"]), "nonsense", "", tokens.issue_for_password(agent["id"], "x")):
        assert (await page("POST", form={"token": other, "password": NEW}))[0] == 401
    await ask(web)
    web.token = link(mails).removeprefix("token=")
    await web("GET", "/api/agents/me", status=401)
