"""Mails of an agent's own words."""


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


async def test_words_that_come_as_html_are_sent_as_their_text(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    body = "<html><head><style>p {}</style></head><body><p>Dear Ann,</p><p>5 &lt; 6,<br>yes.</p></body></html>"
    mail = await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "Hello", "body": body})
    assert mail["body"] == "Dear Ann,\n\n5 < 6,\nyes."


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
