"""The routes of logs as server-sent events: a deployment's, and its app's."""

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


class LastAppEvent(LazyModel):
    """Where a client goes on."""

    last_event_id: str | None = Field(
        default=None,
        max_length=2_000,
        pattern=r"^[0-9]{1,12}(\.[0-9a-f]{16}\.[0-9a-f]{8}(_[0-9]{1,2}\.[0-9a-f]{16}\.[0-9a-f]{8})*)?(-end)?$",
        description="Of the last event it has got",
    )


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
    return _events(await log_events.follow(deployment, headers.last_event_id))


@routes.get(
    "/deploy/{id}/app-log/events",
    needs=READ,
    summary="The deployed app's log as server-sent events",
    produces=MEDIA_TYPE,
    also={204: type(None)},
)
async def deploys_app_log_events(id: Name, headers: LastAppEvent, caller: Caller) -> func.HttpResponse:  # noqa: A002 - as above
    """The app's last lines, and what it writes after `Last-Event-ID`, answered as the deployment's log is.

    The event `end` says that it does not run any more. The values of its variables are hidden.
    """
    deployment = await store.load(id, scope_of(caller))
    return _events(await log_events.follow_app(deployment, headers.last_event_id))


def _events(body: str | None) -> func.HttpResponse:
    if body is None:
        return func.HttpResponse(status_code=204, headers=HEADERS)
    return func.HttpResponse(body, headers=HEADERS, mimetype=MEDIA_TYPE)
