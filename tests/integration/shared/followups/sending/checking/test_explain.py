"""Why a task's mail was not sent."""

from datetime import UTC, datetime, timedelta


async def test_why_a_task_was_not_sent_is_told_for_each_reason(web, crm, mails):
    await web.register(send_mode="automatic", daily_cap=1)
    client = await web.client(create_tasks=False)
    at = datetime.now(UTC) + timedelta(days=2)
    task = await web("POST", "/api/tasks", {"client_id": client["id"], "scheduled_for": at.isoformat()})

    async def why():
        return (await web("GET", f"/api/tasks/{task['id']}/why"))["reason"]

    assert await why() == "not-yet"
    await crm.execute("update followups.tasks set scheduled_for = now()")
    assert await why() == "due-now"
    found = await web("GET", "/api/tasks/diagnostics/due-tasks")
    assert (found["total_tasks"], found["pending_tasks"], found["due_tasks"]) == (1, 1, 1)
    [due] = found["due_tasks_details"]
    assert (due["id"], due["reason"], due["is_due"]) == (task["id"], "due-now", True)
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
    await web("PATCH", f"/api/tasks/{task['id']}", {"scheduled_for": at.isoformat()}, status=409)
    await web("PATCH", f"/api/tasks/{task['id']}", {"status": "pending"}, status=409)
    same = {"status": "completed", "notes": "done", "priority": "low"}
    changed = await web("PATCH", f"/api/tasks/{task['id']}", same)
    assert {name: changed[name] for name in same} == same
