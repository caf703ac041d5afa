"""The routes of documents: a form becomes a document, and its link leads to the file for a moment."""

import azure.functions as func
import httpx
import pytest

from shared.authcache.properties.models import PageQuery
from shared.platform.errors import InvalidInput
from tests.integration.shared.authcache.accounts.conftest import accounts, registered
from tests.integration.shared.authcache.conftest import container
from tests.integration.triggers.authcache.starts import called, starts
from triggers.authcache import documents

__all__ = ["accounts", "container", "starts"]


def form(**fields):
    """A request with a file of text and these fields, as a browser sends it."""
    files = {"file": ("notes.txt", b"some notes", "text/plain")}
    sent = httpx.Request("POST", "https://app.example/api/v1/documents", data=fields, files=files)
    return func.HttpRequest("POST", str(sent.url), headers=dict(sent.headers), body=sent.read())


async def uploaded(user, starts, **fields):
    """What answers the upload of that form."""
    request = form(**fields)
    return await documents.authcache_add_document(
        body=request.get_body(), request=request, client=starts, **called(user.id)
    )


async def test_a_form_becomes_a_document_whose_link_leads_to_the_file_and_is_kept_by_nobody(starts):
    ann = await registered("ann@example.com")
    made = await uploaded(ann, starts, document_type="receipt", property_id="")
    assert (made.status, made.body.file_name, made.body.document_type) == (201, "notes.txt", "receipt")
    by_ann = called(ann.id)
    page = await documents.authcache_documents(query=PageQuery(), **by_ann)
    assert (page.body.items, page.body.total) == ([made.body], 1)

    link = await documents.authcache_document_link(document_id=made.body.id, request=form(), **by_ann)
    address, _, token = link.body.url.partition("?token=")
    assert address == f"https://app.example{documents.CONTENT}"
    answer = await documents.authcache_document_content(query=documents.LinkQuery(token=token))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(answer.headers["Location"])).content == b"some notes"


@pytest.mark.parametrize(("field", "value"), [("document_type", "poem"), ("property_id", "not an id")])
async def test_a_form_that_says_something_unusable_is_refused_by_the_name_of_its_field(starts, field, value):
    ann = await registered("ann@example.com")
    with pytest.raises(InvalidInput) as refused:
        await uploaded(ann, starts, **{field: value})
    assert refused.value.field == field
