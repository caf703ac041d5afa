"""A mail as its agent sees it."""

from datetime import UTC, datetime

import pytest

from shared.followups.events import inbox
from shared.followups.events.models import ProviderEvent


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
