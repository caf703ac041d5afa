"""Why a task was not sent."""

from local.smtp.sink import Rejection
from shared.platform.cursors import sealed

MOMENT_LISTS = {
    "agenda": "followups_agenda",
    "not-sent": "followups_not_sent_tasks",
    "diagnostics/due-tasks": "followups_due_tasks",
}


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


async def pages(web, path):
    """All rows of a list, read two at a time."""
    found, cursor = [], ""
    while cursor is not None:
        page = await web("GET", f"{path}limit=2{cursor and f'&cursor={cursor}'}")
        found += page.get("data", page.get("due_tasks_details"))
        cursor = page["pagination"]["next"]
    return found


async def test_lists_by_moments_go_on_page_by_page_also_where_moments_are_the_same(web, crm):
    await web.register()
    for number in range(5):
        await web.client(f"c{number}@example.com", name=f"C{number}")
    await crm.execute(
        "update followups.tasks set scheduled_for = date_trunc('minute', now()) where followup_type = 'Day 1'"
    )
    await crm.execute(
        "update followups.tasks set status = 'skipped', reason = 'too_late', updated_at = date_trunc('minute', now())"
        " where followup_type = 'Day 3'"
    )
    due = await pages(web, "/api/tasks/diagnostics/due-tasks?")
    assert [one["task_id"] for one in due] == sorted({one["task_id"] for one in due})
    assert len(due) == 5
    today = await pages(web, "/api/tasks/agenda?day=today&")
    assert [one["client"] for one in today] == [f"C{number}" for number in range(5)]
    skipped = await pages(web, "/api/tasks/not-sent?")
    assert [(one["client"], one["reason"]) for one in skipped] == [
        (f"C{number}", "too_late") for number in (4, 3, 2, 1, 0)
    ]
    happened = await web.pages("/api/dashboard/recent-activity?limit=2")
    assert sorted(one["kind"] for one in happened) == ["client-created"] * 5 + ["task-skipped"] * 5
    assert len({one["id"] for one in happened}) == 10
    assert [one["at"] for one in happened] == sorted((one["at"] for one in happened), reverse=True)
    for path in ("agenda", "not-sent", "diagnostics/due-tasks"):
        await web("GET", f"/api/tasks/{path}?cursor=x", status=400)
        farthest = sealed("9999999999999999-999999999999999999", MOMENT_LISTS[path])
        beyond = await web("GET", f"/api/tasks/{path}?cursor={farthest}")
        rows = beyond.get("data", beyond.get("due_tasks_details"))
        assert rows == (skipped[:50] if path == "not-sent" else [])


async def test_what_was_not_sent_shows_what_the_provider_said(web, crm, mails):
    await web.register(send_mode="automatic")
    await web.client()
    mails.reject(Rejection(address="ann@example.com", code=554))
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [found] = (await web("GET", "/api/tasks/not-sent"))["data"]
    assert (found["reason"], found["error_code"], found["client"]) == ("send-failed", "554", "Ann Client")
    assert found["email_id"]
    await web.register("other@example.com")
    assert (await web("GET", "/api/tasks/not-sent"))["data"] == []


async def test_a_step_can_be_added_once_and_a_status_of_pending_changes_nothing(web):
    await web.register()
    client = await web.client(create_tasks=False)
    given = {"client_id": client["id"], "followup_type": "Day 1", "scheduled_for": "2027-01-05T12:00:00Z"}
    task = await web("POST", "/api/tasks", given | {"priority": "high"})
    assert (task["followup_type"], task["status"]) == ("Day 1", "pending")
    await web("POST", "/api/tasks", given, status=409)
    same = await web("PATCH", f"/api/tasks/{task['id']}", {"status": "pending", "notes": "x"})
    assert (same["status"], same["reason"], same["notes"]) == ("pending", None, "x")
    assert (await web("PATCH", f"/api/tasks/{task['id']}", {"status": "skipped"}))["reason"] == "by-the-agent"


async def test_a_deleted_task_is_shown_no_more_and_its_step_is_not_sent(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type in ('Day 1', 'Day 3')")
    await crm.sweep()
    sent, other, *rest = await web("GET", "/api/tasks")
    [mail] = await web("GET", "/api/emails")
    assert (await web("DELETE", f"/api/tasks/{sent['id']}")) == {"success": True}
    gone = {"ids": [other["id"], rest[0]["id"], sent["id"], rest[0]["id"]]}
    assert await web("DELETE", "/api/tasks/bulk", gone) == {
        "success": True, "deleted_count": 2, "failed_ids": [sent["id"]], "total_requested": 4
    }  # fmt: skip
    assert [one["id"] for one in await web("GET", f"/api/clients/{client['id']}/tasks")] == [
        one["id"] for one in rest[1:]
    ]
    for path in (f"/api/tasks/{sent['id']}", f"/api/tasks/{sent['id']}/why", f"/api/emails/{mail['id']}"):
        await web("GET", path, status=404)
    assert await web("GET", "/api/emails") == []
    again = {"client_id": client["id"], "followup_type": "Day 3", "scheduled_for": "2027-01-05T12:00:00Z"}
    assert (await web("POST", "/api/tasks", again, status=409))["code"] == "step-taken"
    await crm.execute("update followups.tasks set scheduled_for = now() where status = 'pending'")
    await crm.pass_time(60 * 24)
    await crm.sweep()
    assert len(mails.mails(9)) == 2
    await web.register("other@example.com")
    assert (await web("DELETE", "/api/tasks/bulk", {"ids": [rest[1]["id"]]}))["failed_ids"] == [rest[1]["id"]]


async def test_a_draft_is_kept_with_a_task_until_its_mail_is_written(web, crm, mails):
    await web.register()
    await web.client()
    [task, *_] = await web("GET", "/api/tasks")
    draft = {"subject": "A draft", "body": "Hello", "custom_instructions": "be short", "timestamp": 1_700_000_000_000}
    assert (await web("PATCH", f"/api/tasks/{task['id']}", {"email_preview": draft}))["email_preview"] == draft
    await crm.execute("update followups.tasks set scheduled_for = now() where id = %s", task["id"])
    await crm.sweep()
    assert (await web("GET", f"/api/tasks/{task['id']}"))["email_preview"]["subject"] != "A draft"
