"""Sharing: one way, from both ends, until it ends, and seen only by whom the address belongs to."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.authcache.accounts import lifecycle, sharing
from shared.authcache.accounts.mails import address_fingerprint
from shared.authcache.accounts.models import ShareChange, ShareRequest
from shared.authcache.store import store
from shared.platform.errors import Conflict, InvalidInput, NotFound
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, link, registered
from tests.present import present


async def level(viewer, owner):
    view = await store().view()
    share = await sharing.access(view, present(await view.user_by_id(viewer.id)), owner.id)
    return share.level if share else None


@pytest.fixture
async def ann():
    return await registered("ann@example.com")


@pytest.fixture
async def bob():
    return await registered("bob@example.com", first_name="Bob")


async def test_a_share_goes_one_way_and_is_found_from_both_ends(ann, bob):
    share, _ = await sharing.grant(ann, ShareRequest(shared_email="Bob@EXAMPLE.com"))
    assert (await level(bob, ann), await level(ann, bob)) == ("read", None)
    view = await store().view()
    assert [one.shared_email for one in await sharing.own(view, ann)] == ["Bob@example.com"]
    assert [(one.id, one.owner.email) for one in await sharing.with_me(view, bob)] == [(share.id, "ann@example.com")]
    assert [one.id for one in await sharing.sharers(view, ann)] == [bob.id]
    assert [one.id for one in await sharing.sharers(view, bob)] == [ann.id]
    assert (await sharing.shared_with_me_by(view, bob, ann.id)).level == "read"
    with pytest.raises(NotFound):
        await sharing.shared_with_me_by(view, ann, bob.id)
    await sharing.revoke(ann, share.id)
    assert await level(bob, ann) is None
    with pytest.raises(NotFound):
        await sharing.revoke(ann, share.id)


async def test_nothing_is_seen_until_the_address_is_shown_to_be_ones_own(ann):
    await sharing.grant(ann, ShareRequest(shared_email="B@x.com"))
    thief = await registered("b@X.com", verified=False)
    view = await store().view()
    assert await sharing.with_me(view, thief) == await sharing.sharers(view, thief) == []
    assert await level(thief, ann) is None
    assert await sharing.sharers(view, ann) == [], "nor does the owner learn that there is such an account"
    with pytest.raises(NotFound):
        await sharing.shared_with_me_by(view, thief, ann.id)
    await lifecycle.verify(link("verify", thief, address_fingerprint(thief)))
    assert await level(thief, ann) == "read"


class Later(datetime):
    """Two hours later."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=2)


async def test_a_share_ends_at_its_time_and_may_then_be_given_anew(ann, bob, monkeypatch):
    soon = datetime.now(UTC) + timedelta(hours=1)
    first, _ = await sharing.grant(ann, ShareRequest(shared_email="bob@example.com", level="edit", expires_at=soon))
    assert await level(bob, ann) == "edit"
    with pytest.raises(Conflict):
        await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    monkeypatch.setattr(sharing, "datetime", Later)
    assert await level(bob, ann) is None
    view = await store().view()
    assert await sharing.own(view, ann) == await sharing.with_me(view, bob) == []
    second, _ = await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    assert await level(bob, ann) == "read"
    assert [one.id for one in await sharing.own(await store().view(), ann)] == [second.id] != [first.id]
    with pytest.raises(InvalidInput, match="ended already"):
        await sharing.grant(ann, ShareRequest(shared_email="c@example.com", expires_at=datetime.now(UTC)))


async def test_a_share_is_changed_by_its_owner_and_keeps_its_beginning(ann, bob):
    share, _ = await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    changed, _ = await sharing.change(ann, share.id, ShareChange(level="edit"))
    assert (changed.level, changed.created_at, await level(bob, ann)) == ("edit", share.created_at, "edit")
    [stored] = await sharing.own(await store().view(), ann)
    assert stored.created_at == share.created_at
    for who in (bob, await registered("eve@example.com")):
        with pytest.raises(NotFound):
            await sharing.change(who, share.id, ShareChange(level="edit"))
        with pytest.raises(NotFound):
            await sharing.revoke(who, share.id)


async def test_one_shares_with_others_and_each_once(ann, bob):
    with pytest.raises(InvalidInput, match="yourself"):
        await sharing.grant(ann, ShareRequest(shared_email="ANN@example.com"))
    made = await asyncio.gather(
        *(sharing.grant(ann, ShareRequest(shared_email=email)) for email in ["bob@example.com", "Bob@Example.com"] * 3),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in made) == ["Conflict"] * 5 + ["tuple"]


async def test_what_a_user_shared_ends_with_the_account(ann, bob):
    await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    await lifecycle.set_active(ann.id, active=False)
    assert await sharing.with_me(await store().view(), bob) == []
    await lifecycle.set_active(ann.id, active=True)
    assert len(await sharing.with_me(await store().view(), bob)) == 1
    await lifecycle.delete(ann, PASSWORD)
    assert await sharing.with_me(await store().view(), bob) == []
    assert await level(bob, ann) is None


async def test_a_share_for_an_old_address_is_not_seen_from_the_new_one(ann, bob):
    from shared.authcache.accounts.mails import fingerprint

    await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    await lifecycle.change_address(link("address", bob, fingerprint(bob), to="other@example.com"))
    assert await level(bob, ann) is None
