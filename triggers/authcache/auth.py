"""Routes to get in and out: register, log in, refresh, log out; and to show that an address is one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import azure.functions as func
from pydantic import Field

from shared.authcache.accounts import lifecycle, sessions, sign_in
from shared.authcache.accounts.models import (
    AccountMail,
    Email,
    Password,
    PasswordToCheck,
    Registration,
    Token,
    UserAnswer,
)
from shared.authcache.accounts.sessions import Session
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.platform.access.auth import PUBLIC, Caller
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.durable import DurableClient
from shared.platform.http import Reply
from shared.platform.models import LazyModel, RequestBody
from triggers.authcache.guard import REGISTERING, USER, AtLeast, answer, caller_of, routes_of, session_of
from triggers.authcache.mails import notify, request_mail
from triggers.authcache.upkeep import written

routes = routes_of("auth")


class LoginRequest(RequestBody):
    email: Email
    password: PasswordToCheck


class RefreshRequest(RequestBody):
    refresh_token: Token


class MailTokenRequest(RequestBody):
    token: Token = Field(description="From the link of the mail")


class ForgottenPassword(RequestBody):
    email: Email


class NewPassword(MailTokenRequest):
    password: Password


class TokenAnswer(LazyModel):
    """Send the access token as `Authorization: Bearer`; exchange the refresh token for both before it expires."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int = Field(description="Seconds that the access token is good for, at most")
    refresh_token: str = Field(description="Good for one exchange")
    lsn: int = Field(description="The place of the log up to which the session knows what was written; also in X-Lsn")


def token_answer(session: Session) -> TokenAnswer:
    """The session as shown."""
    return TokenAnswer(
        access_token=session.access_token,
        refresh_token=session.refresh_token,
        expires_in=int(timedelta(minutes=settings().authcache_token_minutes).total_seconds()),
        lsn=session.lsn,
    )


async def _written(client: DurableClient, session: Session, status: int = 200) -> Reply[TokenAnswer]:
    return await written(client, token_answer(session), session.lsn, status)


@routes.post("/api/v1/auth/register", needs=REGISTERING, summary="Register", status=201)
async def authcache_register(body: Registration, client: DurableClient) -> Reply[TokenAnswer]:
    """A mail follows, by whose link the address is shown to be the user's; till then nothing shared is seen."""
    user, lsn = await lifecycle.register(body)
    await notify(client, AccountMail(kind="verify", user=user.id, at_least=lsn))
    return await _written(client, sessions.begin(user, lsn), 201)


@routes.post("/api/v1/auth/login", needs=PUBLIC, summary="Log in with address and password")
async def authcache_login(body: LoginRequest, headers: AtLeast, request: func.HttpRequest) -> Reply[TokenAnswer]:
    view = await store().view(headers.x_lsn)
    address = sign_in.key_of(body.email)
    with failed_attempts.watched(request, address):
        user = await sign_in.log_in(view, address, body.password.get_secret_value())
    session = sessions.begin(user, view.lsn)
    return answer(token_answer(session), session.lsn)


@routes.post("/api/v1/auth/refresh", needs=PUBLIC, summary="Exchange a refresh token for new tokens")
async def authcache_refresh(body: RefreshRequest, client: DurableClient) -> Reply[TokenAnswer]:
    """The same token gives the same successor for some seconds; used later it ends the session."""
    return await _written(client, await sessions.refresh(body.refresh_token))


@routes.post("/api/v1/auth/logout", needs=USER, summary="End this session")
async def authcache_logout(caller: Caller, headers: AtLeast, client: DurableClient) -> Reply[None]:
    user, _ = await caller_of(caller, headers)
    return await written(client, None, await sessions.end(user, session_of(caller)), 204)


@routes.post("/api/v1/auth/logout-everywhere", needs=USER, summary="End all one's sessions")
async def authcache_logout_everywhere(caller: Caller, headers: AtLeast, client: DurableClient) -> Reply[None]:
    user, _ = await caller_of(caller, headers)
    return await written(client, None, await lifecycle.end_sessions(user), 204)


@routes.post("/api/v1/auth/verify", needs=PUBLIC, summary="Show that an address is one's own")
async def authcache_verify(body: MailTokenRequest, client: DurableClient) -> Reply[UserAnswer]:
    user, lsn = await lifecycle.verify(body.token)
    return await written(client, UserAnswer.of(user), lsn)


@routes.post("/api/v1/auth/verify/mail", needs=USER, summary="Have the mail for that sent again", status=204)
async def authcache_verify_again(caller: Caller, headers: AtLeast, client: DurableClient) -> None:
    user, view = await caller_of(caller, headers)
    await request_mail(client, AccountMail(kind="verify", user=user.id, at_least=view.lsn), user.address)


@routes.post("/api/v1/auth/password/forgotten", needs=PUBLIC, summary="Have a mail sent for a new password", status=204)
async def authcache_password_forgotten(body: ForgottenPassword, headers: AtLeast, client: DurableClient) -> None:
    """The answer is the same whether or not there is such a user."""
    address = sign_in.key_of(body.email)
    await request_mail(client, AccountMail(kind="reset", address=address, at_least=headers.x_lsn), address)


@routes.post("/api/v1/auth/password/reset", needs=PUBLIC, summary="Set a new password by the mail's link")
async def authcache_password_reset(body: NewPassword, client: DurableClient) -> Reply[TokenAnswer]:
    """Ends all sessions but the one that the answer begins."""
    user, lsn = await lifecycle.reset_password(body.token, body.password.get_secret_value())
    await notify(client, AccountMail(kind="password-changed", user=user.id, at_least=lsn))
    return await _written(client, sessions.begin(user, lsn))


@routes.post("/api/v1/auth/address", needs=PUBLIC, summary="Take the new address by the mail's link")
async def authcache_address_confirm(body: MailTokenRequest, client: DurableClient) -> Reply[UserAnswer]:
    before, user, lsn = await lifecycle.change_address(body.token)
    await notify(client, AccountMail(kind="address-changed", user=user.id, to=before.email, at_least=lsn))
    return await written(client, UserAnswer.of(user), lsn)
