"""Routes of an agent's clients."""

from __future__ import annotations

from typing import Annotated

import azure.functions as func
from pydantic import Field

from shared.followups.people import clients, subscriptions, tasks
from shared.followups.people.imports import ClientImport, ImportReport, import_clients
from shared.followups.people.models import Client, ClientChange, Identifier, NewClient, Number, Stage, Task
from shared.platform.access.auth import Caller
from shared.platform.http import Reply, Routes
from shared.platform.models import LazyModel, RequestBody
from shared.platform.printable import Name
from triggers.followups.accounts.guard import AGENT, agent_of
from triggers.followups.lists import BulkDeleted, BulkIds, CountedPage, Done, bulk_deleted, linked

routes = Routes(tag="clients", unusable=422)
IMPORT_BYTES = 3_000_000


class ClientsQuery(CountedPage):
    """Which clients to list."""

    stage: Stage | None = None
    search: str = Field(default="", max_length=200, description="Part of a name, an address or a property's address")


class BulkDelete(RequestBody):
    client_ids: Annotated[list[Number], Field(min_length=1, max_length=1000)]


class Deleted(LazyModel):
    """Which of them there were."""

    deleted: list[int]


class ClientTasksQuery(CountedPage):
    limit: int = Field(default=100, ge=1, le=100, description="Most items of one page")


class CreateQuery(LazyModel, extra="forbid"):
    create_tasks: bool | None = Field(default=None, description="In place of the field of the body")


class AllowAgain(RequestBody):
    """How the client agreed to be written to again."""

    reason: Name


class Merge(RequestBody):
    """The other entry of the same person, which is deleted."""

    other_id: Number


@routes.get("/api/clients", needs=AGENT, summary="The agent's clients")
async def followups_list_clients(query: ClientsQuery, caller: Caller, request: func.HttpRequest) -> Reply[list[Client]]:
    listed = await clients.listed(agent_of(caller), query.part, stage=query.stage, search=query.search)
    return linked(listed, query.limit, request, followups_list_clients.__name__)


@routes.post("/api/clients", needs=AGENT, summary="Enter a client, and plan its cadence if wanted")
async def followups_create_client(body: NewClient, query: CreateQuery, caller: Caller) -> Client:
    if query.create_tasks is not None:
        body = body.model_copy(update={"create_tasks": query.create_tasks})
    return await clients.create(agent_of(caller), body)


@routes.post("/api/clients/import", needs=AGENT, summary="Enter the clients of a CSV file", limit=IMPORT_BYTES)
async def followups_import_clients(body: ClientImport, caller: Caller) -> ImportReport:
    """A row that is wrong, or whose address is known, is reported and keeps no other out."""
    return await import_clients(agent_of(caller), body)


@routes.post("/api/clients/bulk-delete", needs=AGENT, summary="Delete several clients")
async def followups_delete_clients(body: BulkDelete, caller: Caller) -> Deleted:
    return Deleted(deleted=await clients.delete(agent_of(caller), body.client_ids))


# Its name comes before that of the route of one client, which takes every word for a number.
@routes.delete("/api/clients/bulk", needs=AGENT, summary="Delete several clients, as RealtorOS does")
async def followups_bulk_delete_clients(body: BulkIds, caller: Caller) -> BulkDeleted:
    deleted = await clients.delete(agent_of(caller), body.ids)
    return bulk_deleted(body.ids, [client_id for client_id in dict.fromkeys(body.ids) if client_id not in deleted])


@routes.get("/api/clients/{client_id}", needs=AGENT, summary="One client")
async def followups_read_client(client_id: Identifier, caller: Caller) -> Client:
    return await clients.read(agent_of(caller), client_id)


@routes.patch("/api/clients/{client_id}", needs=AGENT, summary="Change a client")
async def followups_change_client(client_id: Identifier, body: ClientChange, caller: Caller) -> Client:
    return await clients.change(agent_of(caller), client_id, body)


@routes.delete("/api/clients/{client_id}", needs=AGENT, summary="Delete a client and cancel what is planned")
async def followups_delete_client(client_id: Identifier, caller: Caller) -> Done:
    await clients.read(agent_of(caller), client_id)
    await clients.delete(agent_of(caller), [client_id])
    return Done()


@routes.get("/api/clients/{client_id}/tasks", needs=AGENT, summary="A client's tasks")
async def followups_client_tasks(
    client_id: Identifier, query: ClientTasksQuery, caller: Caller, request: func.HttpRequest
) -> Reply[list[Task]]:
    await clients.read(agent_of(caller), client_id)
    listed = await tasks.listed(agent_of(caller), query.part, client_id=client_id)
    return linked(listed, query.limit, request, followups_client_tasks.__name__)


@routes.post(
    "/api/clients/{client_id}/allow-again", needs=AGENT, summary="Write to a client again who had unsubscribed"
)
async def followups_allow_client_again(client_id: Identifier, body: AllowAgain, caller: Caller) -> Client:
    """By the agent's own decision, which is kept with its reason. A complaint or a missing mailbox stays."""
    await subscriptions.allow_again(agent_of(caller), client_id, body.reason)
    return await clients.read(agent_of(caller), client_id)


@routes.post("/api/clients/{client_id}/pause", needs=AGENT, summary="Hold a client's mails back")
async def followups_pause_client(client_id: Identifier, caller: Caller) -> Client:
    return await clients.pause(agent_of(caller), client_id, paused=True)


@routes.post("/api/clients/{client_id}/resume", needs=AGENT, summary="Let a client's mails go on")
async def followups_resume_client(client_id: Identifier, caller: Caller) -> Client:
    return await clients.pause(agent_of(caller), client_id, paused=False)


@routes.post("/api/clients/{client_id}/merge", needs=AGENT, summary="Make two entries of one person one")
async def followups_merge_clients(client_id: Identifier, body: Merge, caller: Caller) -> Client:
    return await clients.merge(agent_of(caller), client_id, body.other_id)
