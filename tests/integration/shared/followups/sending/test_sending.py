"""At most one hand-over for each task, none lost: over doubled sweeps, dead workers, lost answers and refusals."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from activities.followups import sending
from activities.followups.sending import compose_followup, hand_over_followup
from local.processes import free_port
from local.smtp.sink import Rejection
from shared.followups.composing.brief import Draft
from shared.followups.keyset import Part
from shared.followups.people import agents, clients, tasks
from shared.followups.people.models import ClientChange
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims, outbox, settling
from shared.followups.sending.compose import MOST_CLAIMS
from shared.followups.steps import Claim, Outcome, SweepSummary
from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings
from tests.present import present

ACCEPTED = Outcome(kind="accepted", provider="smtp")


def received(sink):
    """How many mails each address got."""
    return Counter(mail.recipients[0] for mail in sink.mails(1000))


async def written(limit=100):
    """Claims of all due mails, whose text is written."""
    found = await claims.claim(limit)
    assert all([(await compose_followup(claim)).ready for claim in found])
    return found


async def test_twenty_due_mails_and_ten_sweeps_at_once_are_twenty_hand_overs(crm, mails):
    keep = mails.handle_DATA

    async def slowly(*given):
        await asyncio.sleep(0.3)
        return await keep(*given)

    mails.handle_DATA = slowly
    clients_ = await crm.due(await crm.agent(), 20)
    found = await asyncio.gather(*(crm.sweep() for _ in range(10)))
    assert sorted((one.claimed, one.sent) for one in found) == [(0, 0)] * 9 + [(20, 20)]
    assert received(mails) == {client.email: 1 for client in clients_}
    for key in ("task_id", "message_key"):
        assert len({row[key] for row in await crm.fetch(f"select {key} from followups.emails")}) == 20
    assert await crm.states() == {"sent": 20}
    assert {row["claim"] for row in await crm.fetch("select claim from followups.emails")} == {1}
    assert await crm.sweep() == SweepSummary()


async def test_a_late_worker_cannot_send_under_an_old_claim_number(crm, mails):
    await crm.due(await crm.agent())
    [old] = await written()
    assert await claims.claim(10) == []
    await crm.pass_time(claims.LEASE_MINUTES)
    [new] = await claims.claim(10)
    assert (new.email_id, new.number) == (old.email_id, old.number + 1)
    assert (await hand_over_followup(old)).reason == "claim-lost"
    assert not (await compose_followup(old)).ready
    assert present((await hand_over_followup(new)).outcome).kind == "accepted"
    await outbox.record(old, Outcome(kind="unknown", provider="smtp"))
    assert (await crm.states(), len(mails.mails(9))) == ({"sent": 1}, 1)


async def test_a_claim_whose_answer_was_lost_is_given_again(crm):
    await crm.due(await crm.agent(), 5)
    first = await claims.claim(3, "one batch")
    assert sorted(one.email_id for one in await claims.claim(3, "one batch")) == sorted(one.email_id for one in first)
    assert len(await claims.claim(3, "another")) == 2
    await crm.pass_time(claims.LEASE_MINUTES)
    [taken, *_] = await claims.claim(1, "a third")
    assert taken.number == 2
    assert taken.email_id not in [one.email_id for one in await claims.claim(3, "one batch")]


async def test_a_worker_that_dies_before_it_sends_is_followed_by_another_with_the_same_text(crm, mails, monkeypatch):
    await crm.due(await crm.agent())
    [claim] = await claims.claim(10)
    await crm.pass_time(claims.LEASE_MINUTES)  # it died before it wrote
    [second] = await written()
    before = await crm.fetch("select subject, body, footer, message_key, composed_at from followups.emails")
    await crm.pass_time(claims.LEASE_MINUTES)  # and this one before it sent
    await crm.execute("update followups.clients set name = 'Somebody Else'")
    await crm.execute("update followups.agents set name = 'Bob', company = 'Other', phone = '9'")
    monkeypatch.setenv("FOLLOWUPS_PUBLIC_URL", "https://elsewhere.example.com")
    forget_settings()
    assert (await crm.sweep()).sent == 1
    assert second.number == claim.number + 1
    assert await crm.fetch("select subject, body, footer, message_key, composed_at from followups.emails") == before
    [mail] = mails.mails(9)
    assert mail.headers["Message-ID"] == f"<{before[0]['message_key']}@example.com>"
    assert mail.headers["From"] == "Alice Agent via Acme <followups@example.com>"
    assert mail.headers["To"].startswith("Ann Client <")
    assert mail.headers["List-Unsubscribe"].strip().startswith("<https://app.example.com/unsubscribe/")


async def test_a_worker_that_dies_while_it_sends_leaves_a_mail_that_a_person_is_told_of(crm, mails):
    await crm.due(await crm.agent())
    [claim] = await written()
    await outbox.begin(claim, "smtp")
    assert (await hand_over_followup(claim)).reason == "claim-lost"  # the step delivered again
    assert not await claims.anything_due()
    await crm.pass_time(outbox.SENDING_MINUTES)
    assert await claims.anything_due()
    assert (await crm.sweep()).claimed == 0
    assert await crm.states() == {"unknown": 1}
    assert [mail.subject.strip() for mail in mails.mails(9)] == [
        "[Manifold] followups: of 1 mails nobody knows whether they were handed over"
    ]
    await crm.pass_time(60)
    assert (await crm.sweep()).claimed == 0
    assert await outbox.settle_if_unknown(claim.email_id, ACCEPTED)
    assert not await outbox.settle_if_unknown(claim.email_id, ACCEPTED)
    assert await crm.states() == {"sent": 1}
    assert [row["status"] for row in await crm.fetch("select status from followups.tasks")] == ["completed"]


async def test_what_a_late_worker_knows_settles_an_unknown_mail(crm, mails):
    await crm.due(await crm.agent())
    [claim] = await written()
    await outbox.begin(claim, "smtp")
    await crm.pass_time(outbox.SENDING_MINUTES)
    await outbox.give_up_expired()
    await outbox.record(claim, ACCEPTED)
    assert await crm.states() == {"sent": 1}


async def test_paused_at_120_of_200_and_resumed_80_more_go_out_and_none_twice(crm, mails):
    agent = await crm.agent(daily_cap=1000)
    await crm.due(agent, 200)
    found = await written(200)
    for claim in found[:120]:
        assert present((await hand_over_followup(claim)).outcome).kind == "accepted"
    await agents.pause(agent.id, paused=True)
    assert {(await hand_over_followup(claim)).reason for claim in found[120:]} == {"agent-paused"}
    assert not await claims.anything_due()
    assert await crm.sweep() == SweepSummary()
    assert len(received(mails)) == 120
    await agents.pause(agent.id, paused=False)
    assert (await crm.sweep()).sent == 80
    assert set(received(mails).values()) == {1}
    assert len(received(mails)) == 200


async def test_of_five_mails_the_third_is_refused_and_the_next_sweep_sends_nothing(crm, mails):
    found = await crm.due(await crm.agent(), 5)
    mails.reject(Rejection(address=found[2].email, code=554))
    swept = await crm.sweep()
    assert (swept.sent, swept.failed) == (4, 1)
    assert await crm.states() == {"sent": 4, "failed": 1}
    [failed] = await crm.fetch(
        "select e.error_code, e.error, t.status, t.reason from followups.emails e"
        " join followups.tasks t on t.id = e.task_id where e.state = 'failed'"
    )
    assert (failed["error_code"], failed["status"], failed["reason"]) == ("554", "skipped", "send-failed")
    assert await crm.sweep() == SweepSummary()
    assert set(received(mails).values()) == {1}


async def test_an_address_without_a_mailbox_is_not_written_to_again(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    mails.reject(Rejection(address=client.email, code=550))
    await crm.sweep()
    mails.rejections.clear()
    await crm.task(client)
    assert (await crm.sweep()).sent == 0
    assert [row["scope"] for row in await crm.fetch("select scope from followups.suppressions")] == ["all"]
    reasons = await crm.fetch("select reason from followups.tasks order by id")
    assert [row["reason"] for row in reasons] == ["send-failed", "suppressed"]
    assert received(mails) == {}


async def test_a_relay_that_asks_to_come_later_gets_the_same_mail_later(crm, mails):
    [client] = await crm.due(await crm.agent())
    mails.reject(Rejection(address=client.email, code=451, times=1))
    assert (await crm.sweep()).postponed == 1
    assert await crm.sweep() == SweepSummary()
    await crm.pass_time(3)
    assert (await crm.sweep()).sent == 1
    assert received(mails) == {client.email: 1}


async def test_a_relay_that_never_takes_the_mail_is_given_up(crm, mails):
    [client] = await crm.due(await crm.agent())
    mails.reject(Rejection(address=client.email, code=451))
    for _ in range(settling.MOST_ATTEMPTS):
        assert (await crm.sweep()).postponed == 1
        await crm.pass_time(120)
    assert await crm.sweep() == SweepSummary()
    assert await crm.states() == {"failed": 1}


async def test_a_relay_that_is_away_for_hours_loses_no_mail(crm, mails, monkeypatch):
    """Of a relay that is away nothing is learnt about a mail, so none is given up before it is too late for it."""
    await crm.due(await crm.agent(), 3)
    with monkeypatch.context() as away:
        away.setenv("SMTP_PORT", str(free_port()))
        forget_settings()
        for _ in range(2 * settling.MOST_ATTEMPTS):
            assert (await crm.sweep()).postponed == 3
            await crm.pass_time(settling.LONGEST_DELAY.total_seconds() / 60)
        assert (await scheduler_health()).status == "red"
    forget_settings()
    assert (await crm.sweep()).sent == 3
    assert await crm.states() == {"sent": 3}


async def test_a_mail_that_no_relay_took_in_three_days_is_too_late(crm, mails, monkeypatch):
    await crm.due(await crm.agent(), hours_ago=71)
    with monkeypatch.context() as away:
        away.setenv("SMTP_PORT", str(free_port()))
        forget_settings()
        assert (await crm.sweep()).postponed == 1
    forget_settings()
    await crm.pass_time(2 * 60)
    await crm.sweep()
    [task] = await crm.fetch("select status, reason from followups.tasks")
    assert task == {"status": "skipped", "reason": "too_late"}
    assert not received(mails)


@asynccontextmanager
async def relay(monkeypatch, *, answers_data):
    """An SMTP relay that takes a mail and hangs up instead of answering; how many mails it took."""
    taken = []

    async def serve(reader, writer):
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).upper():
            if line.startswith(b"DATA"):
                if not answers_data:
                    break
                writer.write(b"354 go on\r\n")
                taken.append(await reader.readuntil(b"\r\n.\r\n"))
                break
            writer.write(b"250 fine\r\n")
        writer.close()

    port = free_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    monkeypatch.setenv("SMTP_PORT", str(port))
    forget_settings()
    async with server:
        yield taken
    forget_settings()


async def test_a_mail_whose_answer_was_lost_is_unknown_and_never_sent_again(crm, monkeypatch):
    await crm.due(await crm.agent())
    async with relay(monkeypatch, answers_data=True) as taken:
        assert (await crm.sweep()).unknown == 1
        for _ in range(3):
            await crm.pass_time(60)
            assert (await crm.sweep()).claimed == 0
        assert len([mail for mail in taken if b"nobody knows" not in mail]) == 1
    assert await crm.states() == {"unknown": 1}


async def test_a_connection_that_breaks_before_the_text_was_sent_is_no_hand_over(crm, mails, monkeypatch):
    await crm.due(await crm.agent())
    with pytest.MonkeyPatch.context() as patch:
        async with relay(patch, answers_data=False) as taken:
            assert (await crm.sweep()).postponed == 1
            assert taken == []
    forget_settings()
    await crm.pass_time(3)
    assert (await crm.sweep()).sent == 1
    assert len(mails.mails(9)) == 1


async def test_a_record_that_the_database_refuses_is_written_by_the_next_step(crm, mails, monkeypatch):
    await crm.due(await crm.agent())
    real, refusals = outbox.record, iter([TransientError("The database is away.")])

    async def record(claim, outcome):
        if error := next(refusals, None):
            raise error
        await real(claim, outcome)

    monkeypatch.setattr(outbox, "record", record)
    assert (await crm.sweep()).sent == 1
    assert await crm.states() == {"sent": 1}


async def test_a_mail_waits_for_its_agent_to_approve_it(crm, mails):
    await crm.due(await crm.agent(send_mode="approve"))
    assert (await crm.sweep()).held_back == 1
    [mail] = await crm.fetch("select state, hold_reason, body from followups.emails")
    assert (mail["state"], mail["hold_reason"]) == ("held", "approval")
    assert not await claims.anything_due()
    await crm.execute(
        "update followups.emails set state = 'claimed', hold_reason = null, approved_at = now(), leased_until = now()"
    )
    assert (await crm.sweep()).sent == 1
    [sent] = mails.mails(9)
    assert mail["body"] in sent.text.replace("\r\n", "\n")
    assert sent.headers["Reply-To"] == "agent@example.com"
    assert "1 Main Street" in sent.text


async def test_no_mail_goes_out_without_a_postal_address(crm, mails):
    await crm.due(await crm.agent(postal_address=None))
    await crm.sweep()
    [mail] = await crm.fetch("select hold_reason from followups.emails")
    assert mail["hold_reason"] == "no-postal-address"
    assert mails.mails(9) == []


@pytest.mark.parametrize("name", [None, "", "   ", "O'Brien <b>"])
async def test_a_client_without_a_name_is_greeted_neutrally_and_markup_in_one_is_escaped(crm, mails, name):
    await crm.due(await crm.agent())
    await crm.execute("update followups.clients set name = %s", name)
    assert (await crm.sweep()).sent == 1
    [mail] = mails.mails(9)
    greeting = "Hello O'Brien" if name and name.strip() else "Hello"
    assert mail.text.startswith(f"{greeting} and thank you for your time,")
    assert "<b>" not in mail.html
    assert ("O&#x27;Brien" in mail.html) == (greeting != "Hello")


async def test_a_line_break_that_is_in_the_data_all_the_same_adds_no_header(crm, mails):
    await crm.due(await crm.agent(), notes="x")
    await crm.execute("update followups.clients set name = %s", "Ann\r\nBcc: x@example.com")
    await crm.execute("update followups.agents set name = %s", "Alice\nBcc: y@example.com")
    assert (await crm.sweep()).sent == 1
    [mail] = mails.mails(9)
    assert ("Bcc" in mail.headers, len(mail.recipients)) == (False, 1)


async def test_a_draft_that_breaks_a_rule_is_held_with_the_reason(crm, mails):
    await crm.due(await crm.agent(), property_address="[address to come]")
    assert (await crm.sweep()).held_back == 1
    [mail] = await crm.fetch("select state, hold_reason from followups.emails")
    assert mail["state"] == "held"
    assert "placeholder" in mail["hold_reason"]


async def test_a_writer_that_never_writes_leaves_the_mail_to_a_person(crm):
    await crm.due(await crm.agent())
    [claim] = await claims.claim(10)
    await crm.execute("update followups.emails set claim = %s", MOST_CLAIMS + 1)
    late = Claim(email_id=claim.email_id, number=MOST_CLAIMS + 1)
    assert (await compose_followup(late)).reason == "writer"
    assert await crm.states() == {"held": 1}


async def test_of_two_writers_at_once_one_text_is_stored(crm, monkeypatch):
    await crm.due(await crm.agent())
    [claim] = await claims.claim(10)

    both = asyncio.Barrier(2)

    class Writer:
        def __init__(self, word):
            self.word = word

        async def write(self, brief):
            await both.wait()
            return Draft(subject="A few words about your plans", body="\n\n".join(["Hello Ann,", *[self.word] * 3]))

    writers = [Writer("yes"), Writer("no")]
    monkeypatch.setattr("shared.followups.sending.compose.writer", writers.pop)
    answers = await asyncio.gather(compose_followup(claim), compose_followup(claim))
    assert sorted(one.ready for one in answers) == [False, True]


async def test_the_daily_cap_moves_the_rest_to_the_next_day(crm, mails):
    await crm.due(await crm.agent(daily_cap=3), 5)
    assert (await crm.sweep()).sent == 3
    moved = await crm.fetch(
        "select reason, scheduled_for > now() as later from followups.tasks where status = 'pending'"
    )
    assert moved == [{"reason": "daily-cap", "later": True}] * 2
    assert await crm.sweep() == SweepSummary()


async def test_the_warm_up_lets_few_out_on_the_first_day(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_WARM_UP", "2")
    forget_settings()
    await crm.due(await crm.agent(), 5)
    assert (await crm.sweep()).sent == 2


async def test_one_switch_stops_everything_and_lets_it_go_on(crm, mails):
    await crm.due(await crm.agent(), 2)
    found = await written()
    await crm.execute("update followups.scheduler set stopped_at = now(), stop_reason = 'test'")
    assert {(await hand_over_followup(claim)).reason for claim in found} == {"all-stopped"}
    assert not await claims.anything_due()
    await crm.execute("update followups.scheduler set stopped_at = null")
    assert (await crm.sweep()).sent == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update followups.clients set email_unsubscribed = true", "unsubscribed"),
        ("update followups.clients set stage = 'closed'", "stage"),
        ("update followups.tasks set status = 'skipped', reason = 'replied'", "claim-lost"),
        ("insert into followups.suppressions select email, 'cadence', 'x' from followups.clients", "suppressed"),
        ("update followups.clients set paused_at = now()", "client-paused"),
    ],
)
async def test_what_happens_after_the_text_was_written_is_seen_before_it_is_sent(crm, mails, change, reason):
    await crm.due(await crm.agent())
    [claim] = await written()
    await crm.execute(change)
    assert (await hand_over_followup(claim)).reason == reason
    assert await crm.sweep() == SweepSummary()
    assert mails.mails(9) == []


async def test_a_deleted_client_gets_nothing(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    [claim] = await written()
    await clients.delete(agent.id, [client.id])
    assert (await hand_over_followup(claim)).reason == "claim-lost"
    assert await crm.states() == {"cancelled": 1}


async def test_a_task_cancelled_while_nobody_knew_is_completed_by_what_was_sent(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    [claim] = await written()
    assert await outbox.begin(claim, "smtp")
    await clients.delete(agent.id, [client.id])
    assert await outbox.settle_if_unknown(claim.email_id, ACCEPTED)
    assert await crm.states() == {"sent": 1}
    [task] = await crm.fetch("select status, reason, completed_at from followups.tasks")
    assert (task["status"], task["reason"]) == ("completed", None)
    assert task["completed_at"]


async def test_what_is_due_on_a_closed_day_is_moved_once_and_sent_once(crm, mails):
    agent = await crm.agent()
    [row] = await crm.fetch("select extract(isodow from now() at time zone 'UTC')::int as today")
    open_day = row["today"] % 7 + 1
    [client] = await crm.due(agent, working_days=[open_day])
    for _ in range(5):
        assert (await crm.sweep()).sent == 0
    [task] = await tasks.listed(agent.id, Part(limit=9))
    assert (task.scheduled_for.isoweekday(), task.reason) == (open_day, "no-working-day")
    await crm.pass_time(24 * 60)
    await clients.change(agent.id, client.id, ClientChange(working_days=(1, 2, 3, 4, 5, 6, 7)))
    assert [(await crm.sweep()).sent for _ in range(3)] == [1, 0, 0]


async def test_after_an_outage_one_step_is_sent_now_and_the_rest_keep_their_spacing(crm, mails):
    agent = await crm.agent()
    client = await crm.client(agent)
    first, second = await crm.task(client, 60, "Day 1"), await crm.task(client, 12, "Day 3")
    assert (await crm.sweep()).sent == 1
    sent, moved = await tasks.read(agent.id, first), await tasks.read(agent.id, second)
    assert (sent.status, moved.status, moved.reason) == ("completed", "pending", "minimum-gap")
    assert sent.completed_at
    assert (moved.scheduled_for - sent.completed_at).total_seconds() == pytest.approx(48 * 3600, abs=60)


async def test_after_four_days_what_is_too_late_is_skipped_and_shown(crm, mails):
    agent = await crm.agent()
    client = await crm.client(agent)
    first, second = await crm.task(client, 94, "Day 1"), await crm.task(client, 46, "Day 3")
    assert (await crm.sweep()).sent == 1
    assert (await tasks.read(agent.id, first)).reason == "too_late"
    assert (await tasks.read(agent.id, second)).status == "completed"


async def test_a_second_mail_to_a_client_waits_for_the_gap(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    await crm.sweep()
    second = await crm.task(client)
    assert (await crm.sweep()).sent == 0
    assert (await tasks.read(agent.id, second)).reason == "minimum-gap"
    await crm.pass_time(25 * 60)
    assert (await crm.sweep()).sent == 1


async def test_with_nothing_due_the_question_notes_the_sweep_and_claims_nothing(crm):
    await crm.due(await crm.agent(), hours_ago=-1)
    assert not await claims.anything_due()
    [row] = await crm.fetch("select swept_at is not null as swept from followups.scheduler")
    assert row["swept"]
    assert await claims.claim(10) == []
    await crm.pass_time(120)
    assert await claims.anything_due()


async def test_sweeps_late_and_doubled_send_the_same_mails(crm, mails):
    found = await crm.due(await crm.agent(), 6)
    await asyncio.gather(crm.sweep(), crm.sweep())
    await crm.pass_time(7)
    later = await crm.due(await crm.agent("b@example.com"), 2)
    await asyncio.gather(crm.sweep(), crm.sweep())
    assert received(mails) == {client.email: 1 for client in found + later}


async def test_an_unknown_mail_resolves_by_itself_where_the_provider_can_tell(crm, monkeypatch):
    monkeypatch.setattr(claims, "WITH_LOOK_UP", ("teller",))

    class Teller:
        name, told, handed_over = "teller", [None, ACCEPTED], 0

        async def send(self, mail):
            self.handed_over += 1
            return Outcome(kind="unknown", provider=self.name, code="answer-lost", text="")

        async def find_out(self, mail):
            return self.told.pop(0)

        def may_repeat(self, mail):
            return False

    teller = Teller()
    monkeypatch.setattr(sending, "sender", lambda: teller)
    await crm.due(await crm.agent())
    assert (await crm.sweep()).unknown == 1
    for expected in ("unknown", "sent"):
        await crm.pass_time(16)
        assert await claims.anything_due()
        await crm.sweep()
        assert await crm.states() == {expected: 1}
    assert teller.handed_over == 1
    assert not await claims.anything_due()


async def test_an_unknown_mail_to_somebody_who_unsubscribed_is_left_to_a_person(crm, mails):
    await crm.due(await crm.agent())
    [claim] = await written()
    await outbox.begin(claim, "smtp")
    await crm.pass_time(outbox.SENDING_MINUTES)
    await outbox.give_up_expired()
    await crm.execute("update followups.clients set email_unsubscribed = true")
    assert await outbox.begin_again(claim.email_id) == "unsubscribed"
    assert await crm.states() == {"unknown": 1}
