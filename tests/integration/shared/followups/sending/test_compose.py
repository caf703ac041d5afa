"""A mail's text is written once, and held where it breaks a rule."""

import asyncio

import pytest

from activities.followups.sending import compose_followup
from shared.followups.composing.brief import Draft
from shared.followups.sending import claims
from shared.followups.sending.compose import MOST_CLAIMS
from shared.followups.steps import Claim


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
