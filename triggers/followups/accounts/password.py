"""How an agent gets a new password: by a mail, and a page that its link opens."""

from __future__ import annotations

import asyncio
from html import escape
from time import monotonic
from typing import Annotated
from urllib.parse import parse_qs

import azure.functions as func
from pydantic import Field

from shared.followups import new_passwords
from shared.followups.people.models import LONGEST_ADDRESS, LONGEST_PASSWORD, SHORTEST_PASSWORD
from shared.platform.access.auth import PUBLIC
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.errors import InvalidInput
from shared.platform.http import Routes
from shared.platform.models import LazyModel, RequestBody
from triggers.followups.html_pages import html_page

routes = Routes(tag="agents", unusable=422)
MOST_FORM_BYTES = 5000
ANSWER_SECONDS = 1.5
"""Every answer takes at least as long, whether or not a mail is sent: the time says nothing of who has an account."""

FORM = (
    "<!doctype html><title>New password</title><h1>New password</h1>"
    f'<form method="post"><input type="hidden" name="token" value="%s">'
    f"<label>New password, {SHORTEST_PASSWORD} characters or more"
    f' <input type="password" name="password" minlength="{SHORTEST_PASSWORD}" maxlength="{LONGEST_PASSWORD}"'
    ' required autocomplete="new-password"></label> <button>Set it</button></form>'
)
DONE = "<!doctype html><title>Done</title><h1>Done</h1><p>The new password is set. All sessions have ended.</p>"


class PasswordMailRequest(RequestBody):
    email: Annotated[str, Field(max_length=LONGEST_ADDRESS)]


class PasswordMail(LazyModel):
    """The same whether or not there is such an agent."""

    detail: str = "If there is an agent with this address, a mail with a link is on its way."


class PasswordPageQuery(LazyModel, extra="forbid"):
    token: Annotated[str, Field(min_length=1, max_length=2000, description="From the mail")]


@routes.post("/api/agents/password-mail", needs=PUBLIC, summary="Have a link to a new password mailed")
async def followups_mail_password(body: PasswordMailRequest) -> PasswordMail:
    """At most one in two minutes. A client who wants no follow-ups gets it all the same."""
    deadline = monotonic() + ANSWER_SECONDS
    await new_passwords.send(body.email.strip().lower())
    await asyncio.sleep(max(0.0, deadline - monotonic()))
    return PasswordMail()


@routes.get(new_passwords.PATH, needs=PUBLIC, summary="A page to set a new password", produces="text/html")
async def followups_password_page(query: PasswordPageQuery) -> func.HttpResponse:
    """It changes nothing; scanners open every link of a mail."""
    return html_page(FORM % escape(query.token))


@routes.post(
    new_passwords.PATH,
    needs=PUBLIC,
    summary="Set a new password",
    produces="text/html",
    limit=MOST_FORM_BYTES,
)
async def followups_set_password(request: func.HttpRequest) -> func.HttpResponse:
    """Takes the form of the page, with `token` and `password`. It ends all sessions of the agent."""
    try:
        form = parse_qs(request.get_body().decode(), max_num_fields=5)
    except ValueError:
        form: dict[str, list[str]] = {}
    token, password = form.get("token", [""])[0], form.get("password", [""])[0]
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", field="password")
    with failed_attempts.watched(request):
        await new_passwords.replace(token, password)
    return html_page(DONE)
