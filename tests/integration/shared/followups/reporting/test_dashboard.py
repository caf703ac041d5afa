"""The dashboard counts what there is."""


async def test_the_dashboard_counts_rows(web, crm, mails):
    await web.register(send_mode="automatic")
    await web.client()
    await web.client("bob@example.com", stage="closed", create_tasks=False)
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    await crm.execute("update followups.emails set machine_opens = 1")
    stats = await web("GET", "/api/dashboard/stats")
    assert stats == {
        "total_clients": 2, "active_clients": 1, "pending_tasks": 4, "completed_tasks": 1, "emails_sent_today": 1,
        "emails_sent_this_week": 1, "emails_held": 0, "emails_unknown": 0, "emails_failed": 0,
        "emails_bounced": 0, "open_rate": 0.0,
        "open_rate_at_most": 100.0, "click_rate": 0.0, "click_rate_at_most": 0.0, "conversion_rate": 50.0,
    }  # fmt: skip
    events = await web("GET", "/api/dashboard/recent-activity")
    assert [event["kind"] for event in events] == ["email-sent", "client-created", "client-created"]
    assert [event["client_name"] for event in events] == ["Ann Client"] * 3
    assert (events[0]["type"], events[0]["to"], events[0]["status"]) == ("email", "ann@example.com", "sent")
