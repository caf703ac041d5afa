"""Which mails the routes to get in and out ask for, and for whom they ask for none."""

import pytest
from pydantic import SecretStr

from shared.authcache.accounts.mails import fingerprint
from shared.authcache.accounts.models import AccountMail
from shared.authcache.settings import settings
from shared.platform.access.auth import Caller
from shared.platform.errors import RateLimited, Unauthenticated
from tests.integration.shared.authcache.accounts.conftest import accounts, link, registered, registration
from tests.integration.shared.authcache.conftest import container
from tests.integration.triggers.authcache.starts import caller, starts
from triggers.authcache import auth
from triggers.authcache.guard import AtLeast

__all__ = ["accounts", "container", "starts"]


async def forgotten(starts, email):
    await auth.authcache_password_forgotten(body=auth.ForgottenPassword(email=email), headers=AtLeast(), client=starts)


async def test_who_registers_is_signed_in_and_sent_the_mail_that_proves_the_address(starts):
    reply = await auth.authcache_register(body=registration("ann@example.com"), client=starts)
    assert (reply.status, reply.headers) == (201, {"X-Lsn": "1"})
    [(name, mail)] = starts.requests
    assert (name, mail.kind, mail.at_least) == ("write_letter", "verify", 1)


async def test_whether_an_account_exists_is_not_seen_when_its_password_was_forgotten(starts):
    await registered("ann@example.com")
    for email in ("Ann@Example.com", "nobody@example.com", "no address"):
        await forgotten(starts, email)
    assert [mail for _, mail in starts.requests] == [
        AccountMail(kind="reset", address=key) for key in ("ann@example.com", "nobody@example.com", "no address")
    ]


async def test_mails_to_one_address_are_so_many_an_hour_however_it_is_written(starts):
    for _ in range(settings().authcache_mails_per_hour):
        await forgotten(starts, "limited@example.com")
    with pytest.raises(RateLimited) as refused:
        await forgotten(starts, "Limited@EXAMPLE.com")
    assert refused.value.code == "too-many-mails"
    await forgotten(starts, "another@example.com")
    assert len(starts.requests) == settings().authcache_mails_per_hour + 1


async def test_the_owner_is_told_of_a_new_password_and_of_a_new_address_where_the_old_one_was(starts):
    ann = await registered("ann@example.com")
    body = auth.NewPassword(token=link("reset", ann, fingerprint(ann)), password=SecretStr("another long password"))
    await auth.authcache_password_reset(body=body, client=starts)
    with pytest.raises(Unauthenticated, match="link"):
        await auth.authcache_password_reset(body=body, client=starts)
    bob = await registered("bob@example.com")
    token = link("address", bob, fingerprint(bob), to="new@example.com")
    reply = await auth.authcache_address_confirm(body=auth.MailTokenRequest(token=token), client=starts)
    assert (reply.body.email, reply.body.verified) == ("new@example.com", True)
    assert starts.mails == [("password-changed", ""), ("address-changed", "bob@example.com")]


async def test_the_mail_that_proves_an_address_is_sent_again_to_who_is_signed_in(starts):
    ann = await registered("again@example.com", verified=False)
    await auth.authcache_verify_again(caller=caller(ann.id), headers=AtLeast(), client=starts)
    assert starts.mails == [("verify", "")]
    with pytest.raises(Unauthenticated):
        await auth.authcache_verify_again(
            caller=Caller("user-x", organization="x family"), headers=AtLeast(), client=starts
        )
