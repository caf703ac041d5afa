"""A mail of which nobody knows is handed over again only after all checks, in its turn, and under its own key."""

from dataclasses import replace
from typing import Any

import pytest

from activities.followups import sending
from activities.followups.sending import settle_followups
from shared.followups.sending import claims, outbox, unknown
from shared.followups.sending.senders import pace
from shared.followups.steps import Outcome
from shared.platform.durable import Nothing
from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings

STOP = "update followups.scheduler set stopped_at = now(), stop_reason = 'test'"


class Keyed:
    """A provider without a look-up that takes each key once; its first answer is lost before the mail arrives."""

    name = "resend"

    def __init__(self):
        self.answers: list[Any] = ["unknown"]
        self.requests, self.taken, self.sent = 0, set(), []

    async def send(self, mail):
        self.requests += 1
        self.sent.append(mail)
        kind = self.answers.pop(0) if self.answers else "accepted"
        if kind == "accepted":
            self.taken.add(mail.key)
        return Outcome(kind=kind, provider=self.name, code=None if kind == "accepted" else "x")

    async def find_out(self, mail):
        return None

    def may_repeat(self, mail):
        return True


@pytest.fixture
async def provider(crm, monkeypatch):
    """One mail that never arrived there, and of which nobody knows."""
    keyed = Keyed()
    monkeypatch.setattr(sending, "sender", lambda: keyed)
    await crm.due(await crm.agent(daily_cap=1))
    assert (await crm.sweep()).unknown == 1
    await crm.pass_time(16)
    return keyed


async def test_what_never_arrived_is_handed_over_later(crm, provider):
    assert await claims.anything_due()
    await settle_followups(Nothing())
    assert (provider.requests, len(provider.taken), await crm.states()) == (2, 1, {"sent": 1})


async def test_it_is_the_same_mail_though_everybody_was_renamed_and_the_app_has_moved(crm, provider, monkeypatch):
    await crm.execute("update followups.clients set name = 'Somebody Else'")
    await crm.execute("update followups.agents set name = 'Bob', company = 'Other', email = 'bob@example.com'")
    monkeypatch.setenv("FOLLOWUPS_PUBLIC_URL", "https://elsewhere.example.com")
    monkeypatch.setenv("FOLLOWUPS_SENDER", "other@elsewhere.example.com")
    forget_settings()
    await settle_followups(Nothing())
    first, second = provider.sent
    assert replace(second, sending_at=None, deadline=None) == replace(
        first, sending_at=None, deadline=None, date=second.date
    )


async def test_a_mail_that_was_written_before_the_app_had_an_address_gets_the_link_at_its_first_hand_over(
    crm, mails, monkeypatch
):
    monkeypatch.setenv("FOLLOWUPS_PUBLIC_URL", "")
    forget_settings()
    await crm.due(await crm.agent())
    assert (await crm.sweep()).sent == 0
    assert await crm.fetch("select hold_reason from followups.emails") == [{"hold_reason": "no-public-url"}]
    monkeypatch.setenv("FOLLOWUPS_PUBLIC_URL", "https://app.example.com")
    forget_settings()
    await crm.execute(
        "update followups.emails set state = 'claimed', hold_reason = null, leased_until = now(), approved_at = now()"
    )
    assert (await crm.sweep()).sent == 1
    assert await crm.fetch("select public_url from followups.emails") == [{"public_url": "https://app.example.com"}]
    assert "https://app.example.com/unsubscribe/" in mails.mails(9)[0].headers["List-Unsubscribe"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (STOP, "all-stopped"),
        ("update followups.agents set paused_at = now()", "agent-paused"),
        ("update followups.agents set is_active = false", "agent-inactive"),
        ("update followups.clients set paused_at = now()", "client-paused"),
        ("update followups.clients set working_days = array[extract(isodow from now() + interval '3 days')::int]",
         "no-working-day"),
        ("update followups.agents set daily_cap = 0", "daily-cap"),
        ("update followups.scheduler set domain_problems = '{no SPF}', domain_checked_at = now()", "sender-domain"),
        ("insert into followups.suppressions select email, 'cadence', 'x' from followups.clients", "suppressed"),
        ("update followups.clients set email_unsubscribed = true", "unsubscribed"),
        ("update followups.clients set email = 'else@example.com'", "address-changed"),
        ("update followups.tasks set status = 'skipped', reason = 'replied'", "task-skipped"),
    ],
)  # fmt: skip
async def test_what_a_check_keeps_back_is_not_handed_over_and_the_reason_is_shown(crm, provider, change, reason):
    await crm.execute(change)
    await settle_followups(Nothing())
    assert (provider.requests, await crm.states()) == (1, {"unknown": 1})
    [shown] = await unknown.listed(after=0, limit=9)
    assert shown.repeat_refused == reason


async def test_it_goes_out_when_the_reason_has_ended(crm, provider):
    await crm.execute("update followups.clients set paused_at = now()")
    await settle_followups(Nothing())
    await crm.execute("update followups.clients set paused_at = null")
    await crm.pass_time(16)
    await settle_followups(Nothing())
    assert (provider.requests, await crm.states()) == (2, {"sent": 1})


async def test_while_all_is_stopped_no_sweep_starts_for_it(crm, provider):
    assert await claims.anything_due()
    await crm.execute(STOP)
    assert not await claims.anything_due()


async def test_it_waits_for_its_turn(crm, provider, monkeypatch):
    class Paused:
        async def turn(self, _):
            raise TransientError("The account is paused.")

    monkeypatch.setattr(pace, "rate_limit", lambda *_: Paused())
    await settle_followups(Nothing())
    assert (provider.requests, await crm.states()) == (1, {"unknown": 1})


@pytest.mark.parametrize("answer", ["unknown", "postponed"])
async def test_a_second_answer_that_settles_nothing_leaves_it_unknown(crm, provider, answer):
    provider.answers = [answer]
    await settle_followups(Nothing())
    assert (provider.requests, await crm.states()) == (2, {"unknown": 1})
    await settle_followups(Nothing())
    assert provider.requests == 2, "the next look comes a quarter of an hour later"
    await crm.pass_time(16)
    await settle_followups(Nothing())
    assert (provider.requests, await crm.states()) == (3, {"sent": 1})


async def test_a_worker_that_dies_while_it_repeats_leaves_it_unknown_again(crm, provider):
    [mail] = await outbox.unknown_mails("resend")
    assert not isinstance(await outbox.begin_again(mail.email_id), str)
    assert await outbox.begin_again(mail.email_id) == "settled"
    await crm.pass_time(outbox.SENDING_MINUTES)
    assert await outbox.give_up_expired() == [mail.email_id]


async def test_what_is_handed_over_again_today_counts_for_todays_cap(crm, provider):
    await crm.execute("update followups.emails set sending_at = sending_at - interval '23 hours'")
    await settle_followups(Nothing())
    [agent] = await crm.fetch("select id, time_zone from followups.agents")
    [mail] = await crm.fetch("select repeated_at >= date_trunc('day', now() at time zone 'UTC') as today, *"
                             " from followups.emails")  # fmt: skip
    assert (mail["today"], mail["agent_id"]) == (True, agent["id"])
    [client] = await crm.fetch("select id, agent_id from followups.clients")
    await crm.execute(
        "insert into followups.clients (agent_id, name, email, property_type, stage)"
        " values (%s, 'Bob', 'bob@example.com', 'residential', 'lead')", client["agent_id"],
    )  # fmt: skip
    await crm.execute(
        "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)"
        " select agent_id, id, 'Custom', now(), now(), 'low' from followups.clients where name = 'Bob'"
    )
    assert (await crm.sweep()).sent == 0
    [moved] = await crm.fetch("select reason from followups.tasks where status = 'pending'")
    assert moved["reason"] == "daily-cap"
