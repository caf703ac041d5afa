"""What an agent does to a mail before it is handed over."""

from shared.followups.composing.brief import Draft
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
