"""Mails are read, edited, tested, approved and sent."""

from datetime import UTC, datetime

import pytest

from shared.followups.composing.brief import Draft
from shared.followups.events import inbox
from shared.followups.events.models import ProviderEvent
from shared.followups.sending import editing


async def test_a_mail_is_read_edited_tested_approved_and_sent(web, crm, mails):
    await web.register()
    client = await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = await web("GET", "/api/emails?state=held")
    assert (mail["status"], mail["hold_reason"], mail["to"]) == ("queued", "approval", "ann@example.com")
    preview = await web("POST", "/api/emails/preview", {"task_id": mail["task_id"]})
    assert (preview["body"], preview["problems"]) == (mail["body"], [])
    assert "1 Main Street" in preview["html_body"]
    assert mail["body"].startswith(preview["preview"].partition(" …")[0][:10])
    assert len(preview["preview"]) <= 120
    path = f"/api/emails/{mail['id']}"
    words = {"subject": "My own words for you today", "body": "Dear [Name],\n\nFrom 9,999 on."}
    edited = await web("PATCH", path, words)
    assert edited["email"]["subject"] == words["subject"]
    assert len(edited["problems"]) == 4
    assert (await web("POST", f"{path}/test"))["kind"] == "accepted"
    assert (await web("POST", f"{path}/approve"))["state"] == "claimed"
    await web("POST", f"{path}/approve", status=409)
    assert (await crm.sweep()).sent == 1
    test, sent = mails.mails(9)
    assert (test.recipients, sent.recipients) == (["alice@example.com"], ["ann@example.com"])
    assert test.headers["Message-ID"] != sent.headers["Message-ID"]
    assert (test.subject.strip(), sent.subject.strip()) == (f"[Test] {words['subject']}", words["subject"])
    assert (await web("GET", path))["status"] == "sent"
    await web("PATCH", path, words, status=409)
    assert await web("GET", "/api/emails?status=queued") == []
    assert [one["id"] for one in await web("GET", "/api/emails?status=sent")] == [mail["id"]]
    await web("DELETE", path)
    await web("GET", path, status=404)
    assert (await web("GET", f"/api/clients/{client['id']}"))["last_contacted"]


async def test_a_held_mail_can_be_thrown_away(web, crm, mails):
    await web.register()
    await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = await web("GET", "/api/emails")
    await web("DELETE", f"/api/emails/{mail['id']}")
    await web("GET", f"/api/emails/{mail['id']}", status=404)
    why = await web("GET", f"/api/tasks/{mail['task_id']}/why")
    assert (why["sent"], why["reason"]) == (False, "mail-deleted")


async def test_an_agents_own_words_go_out_with_the_next_sweep(web, crm, mails):
    await web.register()
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "Hello", "body": "Short.\n.\nEnd."}
    words |= {"agent_instructions": "be short"}
    sent = await web("POST", "/api/emails/send", words)
    assert sent["state"] == "claimed"
    assert (await crm.sweep()).sent == 1
    [mail] = mails.mails(9)
    assert "Short.\r\n.\r\nEnd." in mail.text.replace("\r\n", "\n").replace("\n", "\r\n")


async def test_a_mail_that_nobody_knows_about_is_settled_by_the_operator_once(web, crm):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "Hello", "body": "Short."}
    mail = await web("POST", "/api/emails/send", words)
    path = f"/api/emails/{mail['id']}/resolve"
    await web("POST", path, {"handed_over": True}, status=409, admin=True)
    await crm.execute("update followups.emails set state = 'unknown', sending_at = now()")
    await web("POST", path, {"handed_over": True}, status=401)
    await web("POST", path, {"handed_over": True}, admin=True)
    await web("POST", path, {"handed_over": False}, status=409, admin=True)
    assert (await web("GET", f"/api/emails/{mail['id']}"))["state"] == "sent"


async def test_a_mail_that_was_not_handed_over_goes_out_with_the_same_text_after_all_checks(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "Hello", "body": "Short."}
    mail = await web("POST", "/api/emails/send", words)
    await crm.execute(
        "update followups.emails set state = 'unknown', sending_at = now() - interval '1 hour', error_code = 'x'"
    )
    await web("POST", f"/api/emails/{mail['id']}/resolve", {"handed_over": False}, admin=True)
    await web("POST", f"/api/emails/{mail['id']}/resolve", {"handed_over": True}, status=409, admin=True)
    again = await web("GET", f"/api/emails/{mail['id']}")
    assert (again["state"], again["error_code"], again["message_id"]) == ("claimed", None, mail["message_id"])
    assert (await web("GET", f"/api/tasks/{mail['task_id']}"))["status"] == "pending"
    await web("POST", "/api/agents/me/pause")
    assert (await crm.sweep()).sent == 0
    await web("POST", "/api/agents/me/resume")
    assert (await crm.sweep()).sent == 1
    [sent] = mails.mails(9)
    assert (sent.headers["Message-ID"].strip(), "Short." in sent.text) == (mail["message_id"], True)


async def test_a_mail_that_was_not_handed_over_stays_away_when_its_task_has_ended(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "Hello", "body": "Short."}
    mail = await web("POST", "/api/emails/send", words)
    await crm.execute("update followups.emails set state = 'unknown', sending_at = now()")
    await web("DELETE", f"/api/tasks/{mail['task_id']}")
    await web("POST", f"/api/emails/{mail['id']}/resolve", {"handed_over": False}, admin=True)
    assert (await web("GET", f"/api/emails/{mail['id']}"))["state"] == "cancelled"
    assert ((await crm.sweep()).sent, mails.mails(9)) == (0, [])


@pytest.mark.parametrize(
    ("axes", "status"),
    [
        (("none", "none"), "sent"),
        (("delivered", "none"), "delivered"),
        (("delivered", "opened"), "opened"),
        (("none", "clicked"), "clicked"),
        (("bounced", "opened"), "bounced"),
        (("complained", "clicked"), "bounced"),
    ],
)
async def test_the_status_of_a_sent_mail_is_one_word_for_both_axes(web, crm, mails, axes, status):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "Hello", "body": "Hi."})
    await crm.sweep()
    await crm.execute("update followups.emails set delivery = %s, engagement = %s", *axes)
    [mail] = await web("GET", "/api/emails")
    assert mail["status"] == status


async def test_a_mail_shows_what_the_provider_told_and_its_task_shows_the_mail(web, crm, mails):
    await web.register(send_mode="automatic")
    await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = await web("GET", "/api/emails")
    for kind in ("delivered", "opened"):
        await inbox.record_event(
            ProviderEvent(provider="x", event_id=kind, email_id=mail["id"], kind=kind, happened_at=datetime.now(UTC))
        )
    shown = await web("GET", f"/api/emails/{mail['id']}")
    assert [event["kind"] for event in shown["webhook_events"]] == ["delivered", "opened"]
    task = await web("GET", f"/api/tasks/{mail['task_id']}")
    assert (task["email_sent_id"], task["email_preview"]) == (
        mail["id"],
        {"subject": mail["subject"], "body": mail["body"], "custom_instructions": None, "timestamp": None},
    )
    [later, *_] = [one for one in await web("GET", "/api/tasks") if one["id"] != mail["task_id"]]
    assert (later["email_sent_id"], later["email_preview"]) == (None, None)


async def test_an_agents_own_words_become_the_mail_of_a_task_that_waits(web, crm, mails):
    await web.register()
    client = await web.client()
    first, second, *_ = await web("GET", f"/api/clients/{client['id']}/tasks")
    await crm.execute("update followups.tasks set scheduled_for = now() where id = %s", first["id"])
    await crm.sweep()  # it is written, and held for approval
    words = {"client_id": client["id"], "task_id": first["id"], "subject": "My own", "body": "Hello."}
    other = await web.client("bob@example.com", create_tasks=False)
    await web("POST", "/api/emails/send", words | {"client_id": other["id"]}, status=404)
    await web("POST", "/api/emails/send", words | {"to_email": "else@example.com"}, status=422)
    sent = await web("POST", "/api/emails/send", words | {"to_email": "Ann@example.com"})
    assert (sent["task_id"], sent["state"], sent["from"]) == (first["id"], "claimed", "followups@example.com")
    assert (await crm.sweep()).sent == 1
    assert (await web("GET", f"/api/tasks/{first['id']}"))["email_sent_id"] == sent["id"]
    await web("POST", "/api/emails/send", words, status=409)
    later = await web("POST", "/api/emails/send", words | {"task_id": second["id"]})
    assert (await web("GET", f"/api/tasks/{second['id']}"))["reason"] is None
    assert [mail["id"] for mail in await web("GET", f"/api/emails?client_id={client['id']}")] == [
        later["id"],
        sent["id"],
    ]
    for path in ("/api/emails?", f"/api/emails?client_id={client['id']}&"):
        assert [mail["id"] for mail in await web.pages(f"{path}limit=1")] == [later["id"], sent["id"]]
    assert await web("GET", f"/api/emails?client_id={other['id']}") == []
    assert [mail.subject.strip() for mail in mails.mails(9)] == ["My own"]


async def test_a_preview_takes_the_agents_wishes_and_only_the_clients_own_task(web, crm, monkeypatch):
    await web.register()
    client, other = await web.client(), await web.client("bob@example.com")
    [task, *_] = await web("GET", f"/api/clients/{client['id']}/tasks")
    seen = []

    class Writer:
        async def write(self, brief):
            seen.append(brief.task_notes)
            return Draft(subject="x", body="y")

    monkeypatch.setattr(editing, "writer", Writer)
    wishes = {"task_id": task["id"], "client_id": client["id"], "agent_instructions": "Mention the garden."}
    assert (await web("POST", "/api/emails/preview", wishes))["subject"] == "x"
    assert seen == ["Mention the garden."]
    await web("POST", "/api/emails/preview", wishes | {"client_id": other["id"]}, status=404)


async def test_words_that_come_as_html_are_sent_as_their_text(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    body = "<html><head><style>p {}</style></head><body><p>Dear Ann,</p><p>5 &lt; 6,<br>yes.</p></body></html>"
    mail = await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "Hello", "body": body})
    assert mail["body"] == "Dear Ann,\n\n5 < 6,\nyes."


async def test_a_mail_of_which_nobody_knows_is_not_deleted(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    sent = await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "Hello", "body": "Hi."})
    await crm.sweep()
    other = await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "Hello", "body": "Hi again."})
    await crm.execute("update followups.emails set state = 'unknown', sending_at = now() where id = %s", other["id"])
    assert await web("DELETE", "/api/emails/bulk", {"ids": [other["id"], sent["id"]]}) == {
        "success": True, "deleted_count": 1, "failed_ids": [other["id"]], "total_requested": 2
    }  # fmt: skip
    await web("DELETE", f"/api/emails/{other['id']}", status=409)
    assert [one["id"] for one in await web("GET", "/api/emails")] == [other["id"]]
    assert len(mails.mails(9)) == 1


async def test_the_same_words_are_taken_once_and_nobody_is_promised_a_mail_that_must_not_go_out(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "About our call", "body": "Thank you."}
    first = await web("POST", "/api/emails/send", words)
    twice = await web("POST", "/api/emails/send", words, status=409)
    assert twice["code"] == "said-already"
    assert str(first["id"]) in twice["detail"]
    assert (await crm.sweep()).sent == 1
    await web("POST", "/api/emails/send", words, status=409)
    await web("PATCH", f"/api/clients/{client['id']}", {"stage": "closed"})
    refused = await web("POST", "/api/emails/send", words | {"subject": "Congratulations"}, status=409)
    assert (refused["code"], "stage" in refused["detail"]) == ("not-to-be-written-to", True)
    assert len(await crm.fetch("select from followups.tasks")) == 1
    await web("POST", "/api/followups/stop", {"reason": "test"}, status=204, admin=True)
    stopped = await web("POST", f"/api/emails/{first['id']}/test", status=409)
    assert stopped["code"] == "all-stopped"
