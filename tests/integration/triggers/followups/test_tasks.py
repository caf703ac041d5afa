"""Why a task was not sent."""

from datetime import UTC, datetime, timedelta


async def test_why_a_task_was_not_sent_is_told_for_each_reason(web, crm, mails):
    await web.register(send_mode="automatic", daily_cap=1)
    client = await web.client(create_tasks=False)
    at = datetime.now(UTC) + timedelta(days=2)
    task = await web("POST", "/api/tasks", {"client_id": client["id"], "scheduled_for": at.isoformat()}, status=201)

    async def why():
        return (await web("GET", f"/api/tasks/{task['id']}/why"))["reason"]

    assert await why() == "not-yet"
    await crm.execute("update followups.tasks set scheduled_for = now()")
    assert await why() == "due-now"
    [due] = (await web("GET", "/api/tasks/diagnostics/due-tasks"))["data"]
    assert (due["task_id"], due["reason"]) == (task["id"], "due-now")
    await web("POST", f"/api/clients/{client['id']}/pause")
    assert await why() == "client-paused"
    await web("POST", f"/api/clients/{client['id']}/resume")
    await web("POST", "/api/followups/stop", {"reason": "test"}, status=204, admin=True)
    assert await why() == "all-stopped"
    await web("POST", "/api/followups/resume", status=204, admin=True)
    await web("PATCH", f"/api/clients/{client['id']}", {"stage": "lost"})
    assert await why() == "stage"
    await web("PATCH", f"/api/clients/{client['id']}", {"stage": "lead"})
    await crm.sweep()
    explained = await web("GET", f"/api/tasks/{task['id']}/why")
    assert (explained["sent"], explained["reason"]) == (True, None)
    await web("PATCH", f"/api/tasks/{task['id']}", {"priority": "low"}, status=409)


async def test_what_goes_out_today_and_tomorrow_by_the_agents_own_days(web, crm):
    await web.register(time_zone="Pacific/Auckland")
    ann, bob = await web.client(), await web.client("bob@example.com", name="")
    await crm.execute("update followups.tasks set scheduled_for = now() + interval '9 days'")
    midnight = "(((now() at time zone 'Pacific/Auckland')::date + 1)::timestamp at time zone 'Pacific/Auckland')"
    for to, step, at in (
        (ann, "Day 1", "now() - interval '2 days'"),
        (bob, "Day 1", f"{midnight} - interval '1 second'"),
        (ann, "Day 3", midnight),
        (bob, "Day 3", f"{midnight} + interval '1 day 2 hours'"),
    ):
        await crm.execute(
            f"update followups.tasks set scheduled_for = {at} where client_id = %s and followup_type = %s",
            to["id"],
            step,
        )
    found = await web("GET", "/api/tasks/agenda")
    assert (found["due_today"], found["due_tomorrow"]) == (2, 1)
    assert [(one["client"], one["followup_type"], one["day"]) for one in found["data"]] == [
        ("Ann Client", "Day 1", "today"),
        ("bob@example.com", "Day 1", "today"),
        ("Ann Client", "Day 3", "tomorrow"),
    ]
    tomorrow = await web("GET", "/api/tasks/agenda?day=tomorrow&limit=1")
    assert [one["followup_type"] for one in tomorrow["data"]] == ["Day 3"]
    await web.register("other@example.com")
    assert (await web("GET", "/api/tasks/agenda"))["data"] == []
