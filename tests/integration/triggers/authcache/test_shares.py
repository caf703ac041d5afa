"""The routes of sharing from both ends: what they count, and the place of the log that each answer names."""

import pytest

from shared.authcache.accounts.models import ShareChange, ShareRequest
from shared.platform.errors import NotFound
from tests.integration.shared.authcache.accounts.conftest import accounts, registered
from tests.integration.shared.authcache.conftest import container
from tests.integration.triggers.authcache.starts import called, starts
from triggers.authcache import shares

__all__ = ["accounts", "container", "starts"]


async def test_both_ends_see_a_share_from_the_answer_that_gave_it_to_the_one_that_ends_it(starts):
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    by_ann = called(ann.id)
    given = await shares.authcache_share(body=ShareRequest(shared_email="Bob@example.com"), client=starts, **by_ann)
    assert (given.status, given.body.user_id, given.body.level) == (201, ann.id, "read")
    mine = await shares.authcache_shares(**by_ann)
    assert (mine.body.total, mine.body.items, mine.headers) == (1, [given.body], given.headers)

    by_bob = called(bob.id, int(given.headers["X-Lsn"]))
    seen = await shares.authcache_shared_with_me(**by_bob)
    assert [(one.id, one.owner.id) for one in seen.body.items] == [(given.body.id, ann.id)]
    assert (await shares.authcache_sharers(**by_bob)).body.items[0].email == "ann@example.com"

    changed = await shares.authcache_change_share(
        share_id=given.body.id, body=ShareChange(level="edit"), client=starts, **by_ann
    )
    assert int(changed.headers["X-Lsn"]) == int(given.headers["X-Lsn"]) + 1
    assert (await shares.authcache_shared_by(user_id=ann.id, **by_bob)).body.level == "edit"

    ended = await shares.authcache_unshare(share_id=given.body.id, client=starts, **by_ann)
    assert (ended.status, ended.body) == (204, None)
    with pytest.raises(NotFound):
        await shares.authcache_shared_by(user_id=ann.id, **by_bob)
    assert (await shares.authcache_shares(**by_ann)).body.total == 0


async def test_nobody_changes_or_ends_what_another_shares(starts):
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    given = await shares.authcache_share(
        body=ShareRequest(shared_email="bob@example.com"), client=starts, **called(ann.id)
    )
    by_bob = called(bob.id) | {"client": starts}
    with pytest.raises(NotFound):
        await shares.authcache_change_share(share_id=given.body.id, body=ShareChange(level="edit"), **by_bob)
    with pytest.raises(NotFound):
        await shares.authcache_unshare(share_id=given.body.id, **by_bob)
