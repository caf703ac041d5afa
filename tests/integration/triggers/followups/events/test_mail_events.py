"""Events of Communication Services that come by the queue, one a message, as Event Grid writes them."""

import json
from datetime import UTC, datetime

import azure.functions as func
import pytest

from shared.followups.events.providers import communication
from shared.platform.errors import InvalidInput
from triggers.followups.events.mail_events import followups_mail_event


def message(kind, event_id, **data):
    event = {"id": event_id, "topic": "/x", "subject": "s", "eventType": kind, "dataVersion": "1.0"}
    event |= {"metadataVersion": "1", "eventTime": datetime.now(UTC).isoformat(), "data": data}
    return func.ServiceBusMessage(body=json.dumps(event).encode())


async def take(given):
    await followups_mail_event.build().get_user_function()(given)


async def test_a_report_settles_its_mail_and_coming_again_it_changes_nothing(crm, mails):
    await crm.due(await crm.agent())
    await crm.sweep()
    await crm.execute("update followups.emails set state = 'unknown'")
    [mail] = await crm.fetch("select message_key::text as key from followups.emails")
    for _ in range(2):
        await take(message(communication.DELIVERY, "e1", messageId=mail["key"], status="Delivered"))
    [found] = await crm.fetch("select state, delivery from followups.emails")
    assert found == {"state": "sent", "delivery": "delivered"}
    assert len(await crm.fetch("select * from followups.provider_events")) == 1


async def test_what_says_nothing_of_a_mail_is_left_and_what_cannot_be_read_becomes_a_dead_letter(crm):
    await take(message("Microsoft.Communication.SMSReceived", "e2", messageId="x"))
    assert await crm.fetch("select * from followups.provider_events") == []
    with pytest.raises(InvalidInput, match="no list of events"):
        await take(func.ServiceBusMessage(body=b"not json"))
