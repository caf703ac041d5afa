"""Routes of a user's own account."""

from __future__ import annotations

import azure.functions as func

from activities.authcache.documents import Forgotten
from orchestrators.authcache.documents import forget_documents
from shared.authcache.accounts import lifecycle, sessions
from shared.authcache.accounts.models import AccountMail, Email, Password, PasswordToCheck, Profile, UserAnswer
from shared.platform.access.auth import Caller
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.durable import DurableClient
from shared.platform.http import Reply
from shared.platform.models import RequestBody
from triggers.authcache.auth import TokenAnswer, token_answer
from triggers.authcache.guard import USER, AtLeast, answer, caller_of, routes_of
from triggers.authcache.mails import notify, request_mail
from triggers.authcache.upkeep import written

routes = routes_of("users")


class PasswordChange(RequestBody):
    current_password: PasswordToCheck
    new_password: Password


class AddressChange(RequestBody):
    email: Email
    password: PasswordToCheck


class DeletionRequest(RequestBody):
    password: PasswordToCheck


@routes.get("/api/v1/users/me", needs=USER, summary="Who is logged in")
async def authcache_me(caller: Caller, headers: AtLeast) -> Reply[UserAnswer]:
    user, view = await caller_of(caller, headers)
    return answer(UserAnswer.of(user), view.lsn)


@routes.put("/api/v1/users/me", needs=USER, summary="Change one's own profile")
async def authcache_change_me(
    body: Profile, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[UserAnswer]:
    """Fields that are left out stay as they are."""
    user, _ = await caller_of(caller, headers)
    changed, lsn = await lifecycle.change_profile(user, body)
    return await written(client, UserAnswer.of(changed), lsn)


@routes.put("/api/v1/users/me/password", needs=USER, summary="Change one's password")
async def authcache_change_password(
    body: PasswordChange, caller: Caller, headers: AtLeast, client: DurableClient, request: func.HttpRequest
) -> Reply[TokenAnswer]:
    """Ends all sessions but the one that the answer begins."""
    user, _ = await caller_of(caller, headers)
    with failed_attempts.watched(request, user.address):
        changed, lsn = await lifecycle.change_password(
            user, body.current_password.get_secret_value(), body.new_password.get_secret_value()
        )
    await notify(client, AccountMail(kind="password-changed", user=user.id, at_least=lsn))
    return await written(client, token_answer(sessions.begin(changed, lsn)), lsn)


@routes.put("/api/v1/users/me/address", needs=USER, summary="Ask for another address", status=204)
async def authcache_change_address(
    body: AddressChange, caller: Caller, headers: AtLeast, client: DurableClient, request: func.HttpRequest
) -> None:
    """The address stays as it is until the link of the mail to the new one is used."""
    user, view = await caller_of(caller, headers)
    with failed_attempts.watched(request, user.address):
        address = await lifecycle.new_address(user, body.email, body.password.get_secret_value())
    mail = AccountMail(kind="address", user=user.id, to=address.display, at_least=view.lsn)
    await request_mail(client, mail, address.key)


@routes.post("/api/v1/users/me/deletion", needs=USER, summary="Delete one's account, and all that is in it", status=204)
async def authcache_delete_me(
    body: DeletionRequest, caller: Caller, headers: AtLeast, client: DurableClient, request: func.HttpRequest
) -> Reply[None]:
    """Its files are deleted soon after."""
    user, _ = await caller_of(caller, headers)
    with failed_attempts.watched(request, user.address):
        lsn = await lifecycle.delete(user, body.password.get_secret_value())
    await client.start(forget_documents, Forgotten(user=user.id, at_least=lsn))
    return await written(client, None, lsn, 204)
