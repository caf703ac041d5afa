"""What Communication Services tell by Event Grid, where it comes by a queue: nobody but Event Grid may send to it."""

from __future__ import annotations

import logging

import azure.functions as func

from shared.followups.events import inbox
from shared.followups.events.providers import communication
from shared.platform.durable import new_blueprint
from shared.platform.messaging.event_grid import read_event

logger = logging.getLogger(__name__)
queues = new_blueprint()
MAIL_EVENTS = "mail-events"


@queues.service_bus_queue_trigger(arg_name="message", queue_name=MAIL_EVENTS, connection="ServiceBus")
async def followups_mail_event(message: func.ServiceBusMessage) -> None:
    """One event in the schema of Event Grid. What comes again is known; what cannot be read is a dead letter."""
    event = read_event(message.get_body())
    report = communication.event_of(event)
    if report is None:
        logger.info(
            "An event of Communication Services was ignored: it is no report of a mail.",
            extra={"type": event.event_type},
        )
    elif not await inbox.record_event(report):
        logger.info(
            "An event of Communication Services was ignored: it was recorded before.", extra={"event": event.id}
        )
