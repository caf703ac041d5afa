"""A file dropped into the inbox is taken in at once where Event Grid tells of it; else by the minute timer's sweep."""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func

from shared.papers.ingesting import inbox
from shared.platform.durable import DurableClient, new_blueprint
from shared.platform.messaging.event_grid import read_event
from triggers.papers import ingesting

logger = logging.getLogger(__name__)
functions = new_blueprint()
PAPERS = "papers"


@functions.service_bus_queue_trigger(arg_name="message", queue_name=PAPERS, connection="ServiceBus")
@functions.durable_client_input(client_name="client")
async def papers_file_dropped(message: func.ServiceBusMessage, client: Any) -> None:
    """One event of Blob Storage. Coming twice or late it changes nothing; what cannot be read is a dead letter."""
    event = read_event(message.get_body())
    blob = inbox.dropped_file(event)
    ingest = await inbox.accept_dropped(blob) if blob else None
    if ingest is None:
        logger.info(
            "An event names no new file of papers: nothing is taken in.", extra={"event": event.id, "blob": blob}
        )
    else:
        await ingesting.start(DurableClient(client), ingest)
