"""A mail's link is good on every instance, also on one that has not read yet what the mail is about."""

from shared.authcache.accounts import lifecycle
from shared.authcache.accounts.mails import send
from shared.authcache.accounts.models import AccountMail
from shared.authcache.accounts.signing import Purpose, tokens
from shared.authcache.store import Store, store
from tests.integration.closing import close_store
from tests.integration.shared.authcache.accounts.conftest import registered


async def test_a_link_is_good_on_an_instance_that_knows_less_than_the_one_that_sent_it(mails, monkeypatch):
    user = await registered("ann@example.com")
    other = Store()
    await other.view()
    await lifecycle.end_sessions(user)
    assert await send(AccountMail(kind="reset", address=user.address), "key-1")
    [mail] = mails.mails(9)
    token = mail.text.split("\n")[4].strip()
    assert tokens(Purpose.RESET).read(token)["lsn"] == store().instance.now().lsn
    monkeypatch.setattr(lifecycle, "store", lambda: other)
    changed, _ = await lifecycle.reset_password(token, "another long password")
    assert changed.id == user.id
    await close_store(other)
