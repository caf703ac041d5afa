"""One-click unsubscription (RFC 8058). Scanners open every link of a mail, so only a POST changes anything."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func

from shared.followups.people import subscriptions
from shared.platform.access.auth import PUBLIC
from shared.platform.http import Routes
from triggers.followups.html_pages import html_page

routes = Routes(tag="followups")
ASK = (
    "<!doctype html><title>Unsubscribe</title><h1>Unsubscribe</h1><p>Do you want to receive no more of these mails?</p>"
    '<form method="post"><button>Unsubscribe</button></form>'
)
DONE = "<!doctype html><title>Unsubscribed</title><h1>Unsubscribed</h1><p>You will receive no more of these mails.</p>"


@routes.get("/unsubscribe/{key}", needs=PUBLIC, summary="Ask whether to unsubscribe", produces="text/html")
async def followups_ask_unsubscribe(key: UUID) -> func.HttpResponse:
    """A page with a button; it changes nothing."""
    await subscriptions.check_link(key)
    return html_page(ASK)


@routes.head("/unsubscribe/{key}", needs=PUBLIC, summary="As GET, without its body", hidden=True)
async def followups_head_unsubscribe(key: UUID) -> func.HttpResponse:
    """For scanners that ask so: a link that seems broken makes a mail look like spam."""
    return await followups_ask_unsubscribe(key)


@routes.post("/unsubscribe/{key}", needs=PUBLIC, summary="Unsubscribe", produces="text/html")
async def followups_unsubscribe(key: UUID) -> func.HttpResponse:
    """By one click, whatever the body: mailboxes send a form or multipart. Repeated, it is 200 again."""
    await subscriptions.unsubscribe(key)
    return html_page(DONE)
