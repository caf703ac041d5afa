"""No mail goes out before DNS, asked over the wire, shows that the sender's domain is ready."""

import base64

import pytest

from local.providers.dns import Dns
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims
from shared.followups.sending.checking import explain
from shared.followups.sending.domain import gate
from tests.fresh_settings import forget_settings

KEY = base64.b64encode(b"k" * 294).decode()
READY = {
    "example.com": ["some text", "v=spf1 include:spf.relay.example -all"],
    "spf.relay.example": ["v=spf1 ip4:192.0.2.0/24 -all"],
    "_dmarc.example.com": ["v=DMARC1; p=quarantine; rua=mailto:a@example.com"],
    "key1.relay.example": [f"v=DKIM1; k=rsa; p={KEY}"],
}


@pytest.fixture
async def zone(crm, mails, monkeypatch):
    """The stand-in of DNS, with a domain that is ready; the relay is on this machine and is checked all the same."""
    found = Dns(texts=dict(READY), aliases={"s1._domainkey.example.com": "key1.relay.example"})
    async with found.serving() as server:
        monkeypatch.setattr(gate, "LOOPBACK", ())
        monkeypatch.setenv("FOLLOWUPS_DNS_SERVER", server)
        monkeypatch.setenv("FOLLOWUPS_DKIM_SELECTORS", "s1")
        forget_settings()
        yield found


async def test_a_domain_that_is_ready_sends_and_is_looked_at_once_a_day(crm, zone):
    await crm.due(await crm.agent(), 3)
    assert (await crm.sweep()).sent == 3
    queries = zone.queries["example.com"]
    await crm.due(await crm.agent("b@example.com"))
    assert (await crm.sweep()).sent == 1
    assert zone.queries["example.com"] == queries == 1
    await crm.execute("update followups.scheduler set domain_checked_at = now() - interval '25 hours'")
    assert await gate.refused() == []
    assert zone.queries["example.com"] == 2


async def test_nothing_goes_out_while_the_domain_is_not_ready_and_then_all_does(crm, mails, zone):
    del zone.texts["_dmarc.example.com"]
    await crm.due(agent := await crm.agent(), 2)
    assert await claims.anything_due()
    swept = await crm.sweep()
    assert (swept.claimed, swept.sent) == (0, 0)
    [alert] = mails.mails(9)
    assert "no DMARC record" in alert.text
    assert not await claims.anything_due()
    found = await scheduler_health()
    assert found.status == "red"
    assert any("_dmarc.example.com has no DMARC record" in reason for reason in found.reasons)
    assert {one.reason for one in await explain.due(agent.id, None, 9)} == {"sender-domain"}
    zone.texts |= READY
    assert await gate.refused() != []
    await crm.execute("update followups.scheduler set domain_checked_at = now() - interval '16 minutes'")
    assert await claims.anything_due()
    assert (await crm.sweep()).sent == 2
    assert (await scheduler_health()).status == "green"


async def test_a_mail_that_is_claimed_already_waits_as_well(crm, zone):
    from activities.followups.sending import compose_followup, hand_over_followup

    await crm.due(await crm.agent())
    [claim] = await claims.claim(10)
    await compose_followup(claim)
    zone.texts.clear()
    assert len(await gate.refused(look_again=True)) == 3
    assert (await hand_over_followup(claim)).reason == "sender-domain"


@pytest.mark.parametrize("trouble", ["broken", "silent"])
async def test_dns_that_does_not_answer_keeps_what_was_known(crm, zone, monkeypatch, trouble):
    from shared.followups.sending.domain import records

    monkeypatch.setattr(records, "ANSWER_SECONDS", 0.5)
    setattr(zone, trouble, True)
    assert "DNS does not answer" in (await gate.refused())[0]
    setattr(zone, trouble, False)
    assert await gate.refused(look_again=True) == []
    setattr(zone, trouble, True)
    assert await gate.refused(look_again=True) == []


async def test_another_sender_is_looked_at_anew(crm, zone, monkeypatch):
    assert await gate.refused() == []
    monkeypatch.setenv("FOLLOWUPS_SENDER", "followups@other.example")
    forget_settings()
    assert len(await gate.refused()) == 3


async def test_the_relay_on_this_machine_and_a_check_that_is_switched_off_ask_nobody(crm, zone, monkeypatch):
    zone.texts.clear()
    assert await gate.refused() != []
    monkeypatch.setenv("FOLLOWUPS_CHECK_DOMAIN", "false")
    forget_settings()
    assert await gate.refused() == []
    await crm.due(await crm.agent())
    assert (await crm.sweep()).sent == 1
    monkeypatch.setenv("FOLLOWUPS_CHECK_DOMAIN", "true")
    monkeypatch.setattr(gate, "LOOPBACK", ("127.0.0.1",))
    forget_settings()
    assert await gate.refused() == []


async def test_a_domain_that_azure_manages_is_azures_to_keep(crm, zone, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_SENDER", "donotreply@0a1b2c.azurecomm.net")
    forget_settings()
    assert await gate.refused() == []
    assert not zone.queries


@pytest.mark.parametrize(
    ("provider", "names"),
    [
        ("resend", {"send.example.com", "resend._domainkey.example.com"}),
        ("communication", {"example.com", "selector1-azurecomm-prod-net._domainkey.example.com"}),
        ("ses", {"_dmarc.example.com"}),
    ],
)
async def test_each_provider_is_looked_at_as_it_sends_by_default(crm, zone, monkeypatch, provider, names):
    monkeypatch.setenv("FOLLOWUPS_PROVIDER", provider)
    monkeypatch.setenv("FOLLOWUPS_DKIM_SELECTORS", "")
    forget_settings()
    found = "; ".join(await gate.refused())
    assert names <= set(zone.queries)
    assert ("FOLLOWUPS_DKIM_SELECTORS" in found) == (provider == "ses")
