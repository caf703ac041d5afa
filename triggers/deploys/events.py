"""The route of a deployment's log as server-sent events."""

from __future__ import annotations

import azure.functions as func
from pydantic import Field

from shared.deploys.documents import store
from shared.deploys.models import Name
from shared.deploys.requests import log_events
from shared.platform.access.auth import Caller
from shared.platform.http import Routes
from shared.platform.http.answers import HEADERS
from shared.platform.models import LazyModel
from triggers.deploys.callers import READ, scope_of

routes = Routes(tag="deploys")
MEDIA_TYPE = "text/event-stream"


class LastEvent(LazyModel):
    """Where a client goes on."""

    last_event_id: str = Field(default="0", pattern=r"^[0-9]{1,12}(-end)?$", description="Of the last event it has got")


@routes.get(
    "/deploy/{id}/logs/events",
    needs=READ,
    summary="A deployment's log as server-sent events",
    produces=MEDIA_TYPE,
    also={204: type(None)},
)
async def deploys_log_events(id: Name, headers: LastEvent, caller: Caller) -> func.HttpResponse:  # noqa: A002 - the name in the path
    """The lines after `Last-Event-ID`, up to 64 KB, as soon as there are any, or a comment after 20 seconds.

    Each answer ends; the client comes back with the last id, as an EventSource does. The event `end` is the last, and
    after it 204 says that there is no more.
    """
    deployment = await store.load(id, scope_of(caller))
    found = await log_events.follow(deployment, headers.last_event_id)
    if found is None:
        return func.HttpResponse(status_code=204, headers=HEADERS)
    return func.HttpResponse(found, headers=HEADERS, mimetype=f"{MEDIA_TYPE}; charset=utf-8", charset="utf-8")
