"""What the operator sees and does: the sender's domain, and what the model has cost."""

from local.providers.dns import Dns
from shared.followups.sending.domain import gate
from tests.fresh_settings import forget_settings


async def test_the_domain_is_looked_at_when_the_operator_says_so(web, crm, monkeypatch):
    zone = Dns()
    path = "/api/followups/sender-domain/check"
    async with zone.serving() as server:
        monkeypatch.setattr(gate, "LOOPBACK", ())
        monkeypatch.setenv("FOLLOWUPS_DNS_SERVER", server)
        monkeypatch.setenv("FOLLOWUPS_DKIM_SELECTORS", "s1")
        forget_settings()
        found = await web("POST", path, admin=True)
        assert (found["ready"], len(found["problems"])) == (False, 3)
        zone.texts |= {"example.com": ["v=spf1 -all"], "_dmarc.example.com": ["v=DMARC1; p=none"]}
        zone.texts["s1._domainkey.example.com"] = ["k=ed25519; p=ZWRkc2E="]
        assert await web("POST", path, admin=True) == {"ready": True, "problems": []}
    await web("POST", path, status=401)


async def test_the_operator_sees_why_an_address_gets_no_mail_and_lifts_it(web, crm):
    await web.register()
    client = await web.client()
    for address, scope, reason in (("ann@example.com", "all", "bounce"), ("b@example.com", "cadence", "complaint")):
        await crm.execute("insert into followups.suppressions values (%s, %s, %s)", address, scope, reason)
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    [task] = await crm.fetch("select id from followups.tasks where followup_type = 'Day 1'")
    why = await web("GET", f"/api/tasks/{task['id']}/why")
    assert (why["reason"], why["suppression"]["reason"], why["suppression"]["scope"]) == ("suppressed", "bounce", "all")
    first = await web("GET", "/api/followups/suppressions?limit=1", admin=True)
    assert [one["address"] for one in first["data"]] == [client["email"]]
    path = f"/api/followups/suppressions?limit=1&cursor={first['pagination']['next']}"
    assert [one["reason"] for one in (await web("GET", path, admin=True))["data"]] == ["complaint"]
    path = "/api/followups/suppressions?address=B@example.com"
    assert len((await web("GET", path, admin=True))["data"]) == 1
    lift = "/api/followups/suppressions/lift"
    assert (await web("POST", lift, {"address": "ann@example.com"}, admin=True))["reason"] == "bounce"
    await web("POST", lift, {"address": "ann@example.com"}, admin=True, status=404)
    assert (await web("GET", f"/api/tasks/{task['id']}/why"))["reason"] != "suppressed"
    web.token = None
    await web("GET", "/api/followups/suppressions", status=401)
    await web("POST", lift, {"address": "b@example.com"}, status=401)


async def test_the_operator_sees_the_unknown_mails_of_all_agents(web, crm, mails):
    await web.register(send_mode="automatic")
    await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    await crm.execute("update followups.emails set state = 'unknown', error_code = 'answer-lost'")
    [one] = (await web("GET", "/api/followups/unknown", admin=True))["data"]
    assert (one["agent"], one["recipient"], one["error_code"]) == (
        "alice@example.com",
        "ann@example.com",
        "answer-lost",
    )
    assert one["message_id"] == mails.mails(9)[0].headers["Message-ID"].strip()
    assert (await web("GET", f"/api/emails/{one['id']}"))["message_id"] == one["message_id"]
    web.token = None
    await web("GET", "/api/followups/unknown", status=401)
