"""What the routes of one's own account start: mails, and the end of one's files."""

from typing import Any

import pytest
from pydantic import SecretStr

from activities.authcache.documents import Forgotten
from shared.authcache.store import store
from shared.platform.errors import WrongPassword
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, accounts, registered
from tests.integration.shared.authcache.conftest import container
from tests.integration.triggers.authcache.starts import Starts, called, request
from triggers.authcache import users

__all__ = ["accounts", "container"]


def by(user) -> dict[str, Any]:
    """How a route that starts something is called by that user."""
    return called(user.id) | {"client": Starts(), "request": request()}


async def test_a_changed_password_begins_a_session_and_is_told_of():
    ann = await registered("ann@example.com")
    call = by(ann)
    body = users.PasswordChange(current_password=SecretStr(PASSWORD), new_password=SecretStr("another long password"))
    reply = await users.authcache_change_password(body=body, **call)
    assert reply.headers["X-Lsn"] == str(reply.body.lsn)
    assert call["client"].mails == [("password-changed", "")]
    with pytest.raises(WrongPassword):
        await users.authcache_change_password(body=body, **call)
    assert len(call["client"].requests) == 1


async def test_the_mail_for_another_address_goes_there_and_the_account_stays_as_it_is():
    ann = await registered("ann@example.com")
    call = by(ann)
    body = users.AddressChange(email="New@Example.com", password=SecretStr(PASSWORD))
    await users.authcache_change_address(body=body, **call)
    assert call["client"].mails == [("address", "New@example.com")]
    reply = await users.authcache_me(**called(ann.id))
    assert reply.body.email == "ann@example.com"


async def test_the_files_of_a_deleted_account_are_forgotten_as_of_its_end():
    ann = await registered("ann@example.com")
    call = by(ann)
    with pytest.raises(WrongPassword):
        await users.authcache_delete_me(body=users.DeletionRequest(password=SecretStr("wrong")), **call)
    assert call["client"].requests == []
    reply = await users.authcache_delete_me(body=users.DeletionRequest(password=SecretStr(PASSWORD)), **call)
    lsn = store().instance.now().lsn
    assert (reply.status, reply.headers) == (204, {"X-Lsn": str(lsn)})
    assert call["client"].requests == [("forget_documents", Forgotten(user=ann.id, at_least=lsn))]
