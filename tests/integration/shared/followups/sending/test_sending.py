"""At most one hand-over for each task, none lost: over doubled sweeps, dead workers, lost answers and refusals."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from activities.followups import sending
from activities.followups.sending import hand_over_followup
from local.processes import free_port
from shared.followups.people import agents, clients
from shared.followups.sending import claims, outbox
from shared.followups.steps import Outcome, SweepSummary
from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.sending.conftest import received, written
from tests.present import present

ACCEPTED = Outcome(kind="accepted", provider="smtp")


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


async def test_a_line_break_that_is_in_the_data_all_the_same_adds_no_header(crm, mails):
    await crm.due(await crm.agent(), notes="x")
    await crm.execute("update followups.clients set name = %s", "Ann\r\nBcc: x@example.com")
    await crm.execute("update followups.agents set name = %s", "Alice\nBcc: y@example.com")
    assert (await crm.sweep()).sent == 1
    [mail] = mails.mails(9)
    assert ("Bcc" in mail.headers, len(mail.recipients)) == (False, 1)


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
