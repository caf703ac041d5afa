"""Clients are entered, one by one or from a file, changed and deleted."""

import json

import pytest

from shared.platform.cursors import sealed


def next_of(path, last):
    return f'<{path}/tasks?limit=2&cursor={sealed(str(last), "followups_client_tasks")}>; rel="next"'


async def test_a_client_is_entered_changed_paused_listed_and_deleted(web):
    await web.register()
    client = await web.client()
    path = f"/api/clients/{client['id']}"
    assert (await web("PATCH", path, {"stage": "negotiating"}))["stage"] == "negotiating"
    assert (await web("GET", path))["email"] == "ann@example.com"
    assert (await web("POST", f"{path}/pause"))["paused_at"]
    assert (await web("POST", f"{path}/resume"))["paused_at"] is None
    planned = await web("GET", f"{path}/tasks?limit=2")
    assert web.link == next_of(path, planned[-1]["id"])
    steps = ["Day 1", "Day 3", "Week 1", "Week 2", "Month 1"]
    assert [one["followup_type"] for one in await web.pages(f"{path}/tasks?limit=2")] == steps
    assert [one["followup_type"] for one in await web("GET", f"{path}/tasks?limit=2&page=2")] == steps[2:4]
    assert web.link == next_of(path, planned[-1]["id"] + 2)
    other = await web.client("bob@example.com", name="Bob")
    assert [one["id"] for one in await web.pages("/api/clients?limit=1")] == [client["id"], other["id"]]
    assert len({one["id"] for one in await web.pages("/api/tasks?limit=3")}) == 10
    assert (await web("POST", f"{path}/merge", {"other_id": other["id"]}))["id"] == client["id"]
    await web("DELETE", path)
    await web("DELETE", path, status=404)
    third = await web.client("c@example.com")
    gone = await web("POST", "/api/clients/bulk-delete", {"client_ids": [third["id"], client["id"]]})
    assert gone == {"deleted": [third["id"]]}
    assert await web("GET", "/api/clients") == []
    fourth = await web("POST", "/api/clients", {"email": "d@example.com"})
    assert await web("GET", f"/api/clients/{fourth['id']}/tasks") == []
    fifth = await web("POST", "/api/clients?create_tasks=true", {"email": "e@example.com"})
    assert len(await web("GET", f"/api/clients/{fifth['id']}/tasks")) == 5
    ids = {"ids": [fourth["id"], third["id"], third["id"]]}
    assert await web("DELETE", "/api/clients/bulk", ids) == {
        "success": True, "deleted_count": 1, "failed_ids": [third["id"]], "total_requested": 3
    }  # fmt: skip
    await web("GET", "/api/clients?limit=101", status=422)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Ann\r\nBcc: x@y"),
        ("email", "no address"),
        ("time_zone", "Mars/Base"),
        ("country", "XX"),
        ("stage", "x"),
    ],
)
async def test_what_is_wrong_in_a_client_is_named(web, field, value):
    await web.register()
    refused = await web("POST", "/api/clients", {"email": "ann@example.com", field: value}, status=422)
    assert field in json.dumps(refused["errors"])


async def test_an_agent_enters_that_a_client_unsubscribed_and_takes_it_back(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client()
    path = f"/api/clients/{client['id']}"
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    assert (await web("PATCH", path, {"email_unsubscribed": True}))["email_unsubscribed"]
    assert (await web("PATCH", path, {"email_unsubscribed": False}))["email_unsubscribed"] is False
    await web("PATCH", path, {"email_unsubscribed": True, "notes": "asked by telephone"})
    assert ((await crm.sweep()).sent, mails.mails(9)) == (0, [])
    assert (await web("GET", path))["email_unsubscribed"]
    await crm.execute(
        "insert into followups.suppressions (address, scope, reason) values (%s, 'cadence', 'complaint')",
        client["email"],
    )
    refused = await web("PATCH", path, {"email_unsubscribed": False, "notes": "x"}, status=409)
    assert refused["code"] == "not-yours-to-allow"
    assert (await web("GET", path))["notes"] == "asked by telephone"
