"""Routes of documents: files of users, handed out by links."""

from __future__ import annotations

from typing import Annotated

import azure.functions as func
from pydantic import ConfigDict, Field, ValidationError

from shared.authcache.accounts.models import Id, Token
from shared.authcache.documents import documents
from shared.authcache.documents.models import (
    DocumentAnswer,
    DocumentFields,
    DocumentLink,
    DocumentPage,
    UploadPlace,
    UploadTicket,
)
from shared.authcache.properties.models import PageQuery
from shared.platform.access.auth import PUBLIC, Caller, header
from shared.platform.durable import DurableClient
from shared.platform.errors import InvalidInput
from shared.platform.http import Reply
from shared.platform.http.multipart import Form, read_form
from shared.platform.models import LazyModel
from triggers.authcache.guard import USER, AtLeast, answer, caller_of, routes_of
from triggers.authcache.upkeep import written

routes = routes_of("documents")

ROUTE_BYTES = 10_000_000
"""Of a file that comes through the app, which holds it in memory."""
FORM_BYTES = 20_000
"""Of what a form holds besides."""
CONTENT = "/api/v1/documents/content"


class LinkQuery(LazyModel):
    model_config = ConfigDict(extra="forbid")
    token: Token


@routes.get("/api/v1/documents", needs=USER, summary="One's own documents, and those that others share")
async def authcache_documents(query: PageQuery, caller: Caller, headers: AtLeast) -> Reply[DocumentPage]:
    user, view = await caller_of(caller, headers)
    return answer(await documents.listed(view, user, page=query.page, limit=query.limit), view.lsn)


@routes.post(
    "/api/v1/documents",
    needs=USER,
    summary="Upload a document of at most 10 MB",
    status=201,
    limit=ROUTE_BYTES + FORM_BYTES,
    consumes="multipart/form-data",
)
async def authcache_add_document(
    body: bytes, caller: Caller, headers: AtLeast, request: func.HttpRequest, client: DurableClient
) -> Reply[DocumentAnswer]:
    """A form: the file in the field `file`, and `document_type` and `property_id` if they are known.

    What the file really is, its first bytes say: PDF, images and text are taken. Larger ones go to
    `/documents/uploads`.
    """
    user, _ = await caller_of(caller, headers)
    form = read_form(body, header(request, "Content-Type"))
    made, lsn = await documents.add(user, _fields(form), form.content_type, form.data)
    return await written(client, made, lsn, 201)


@routes.post("/api/v1/documents/uploads", needs=USER, summary="Where to upload a larger document", status=201)
async def authcache_begin_upload(body: UploadTicket, caller: Caller, headers: AtLeast) -> Reply[UploadPlace]:
    """The file goes straight to Blob Storage; then the same ticket goes to `/documents/{id}`."""
    user, view = await caller_of(caller, headers)
    return answer(await documents.begin_upload(user, body), view.lsn, 201)


@routes.post("/api/v1/documents/{document_id}", needs=USER, summary="Make a document of what was uploaded", status=201)
async def authcache_finish_upload(
    document_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")],
    body: UploadTicket,
    caller: Caller,
    headers: AtLeast,
    client: DurableClient,
) -> Reply[DocumentAnswer]:
    """What is not what the ticket says is deleted. May be repeated."""
    user, _ = await caller_of(caller, headers)
    made, lsn = await documents.finish_upload(user, document_id, body)
    return await written(client, made, lsn, 201)


@routes.get(CONTENT, needs=PUBLIC, summary="The file of a link", status=302)
async def authcache_document_content(query: LinkQuery) -> func.HttpResponse:
    """Leads to where the file lies, for a minute. Whether it is still shared is looked at each time."""
    place = await documents.open_link(query.token)
    return func.HttpResponse(
        status_code=302,
        headers={"Location": place.url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


@routes.get("/api/v1/documents/{document_id}/link", needs=USER, summary="A link to a document, for at most a day")
async def authcache_document_link(
    document_id: Id, caller: Caller, headers: AtLeast, request: func.HttpRequest
) -> Reply[DocumentLink]:
    """It ends with the share that lets the caller see the document. Whoever has the link can open it."""
    user, view = await caller_of(caller, headers)
    origin = request.url.partition("/api/v1/")[0]
    return answer(await documents.link(view, user, document_id, f"{origin}{CONTENT}"), view.lsn)


@routes.delete("/api/v1/documents/{document_id}", needs=USER, summary="Delete a document", status=204)
async def authcache_delete_document(
    document_id: Id, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[None]:
    user, _ = await caller_of(caller, headers)
    return await written(client, None, await documents.delete(user, document_id), 204)


def _fields(form: Form) -> DocumentFields:
    filled = {name: value for name, value in form.fields.items() if value}
    try:
        return DocumentFields.model_validate({"file_name": form.file_name, **filled})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidInput(first["msg"], field=".".join(map(str, first["loc"]))) from None
