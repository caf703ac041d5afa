"""Mails are read, edited, tested, approved and sent."""


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
