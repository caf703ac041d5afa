"""Properties: the owner's, and others' as far as the owner shares."""

from datetime import date
from decimal import Decimal

import pytest

from shared.authcache.accounts import lifecycle, sharing
from shared.authcache.accounts.models import ShareChange, ShareRequest
from shared.authcache.properties import properties
from shared.authcache.properties.models import PropertyFields
from shared.authcache.store import store
from shared.authcache.tables import PROPERTIES
from shared.platform.errors import Forbidden, NotFound
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, accounts, registered
from tests.present import present

__all__ = ["accounts"]

HOUSE = PropertyFields(display_name="House", purchase_price=Decimal("250000.50"), purchase_date=date(2020, 2, 29))


async def seen(user, **page):
    view = await store().view()
    current = present(await view.user_by_id(user.id))
    found = await properties.listed(view, current, **({"page": 1, "limit": 20} | page))
    return [(one.display_name, one.access) for one in found.items]


async def test_a_property_is_its_owners_and_shown_as_it_was_saved():
    ann, eve = await registered("ann@example.com"), await registered("eve@example.com")
    made, lsn = await properties.create(ann, HOUSE)
    view = await store().view(lsn)
    assert (await properties.read(view, ann, made.id)) == made
    assert (str(made.purchase_price), str(made.purchase_date)) == ("250000.50", "2020-02-29")
    changed, _ = await properties.change(ann, made.id, PropertyFields(display_name="Home"))
    assert (changed.display_name, changed.purchase_price, changed.created_at) == ("Home", None, made.created_at)
    for asked in (properties.change(eve, made.id, HOUSE), properties.delete(eve, made.id)):
        with pytest.raises(NotFound):
            await asked
    assert await seen(eve) == []
    await properties.delete(ann, made.id)
    assert await seen(ann) == []


async def test_others_see_and_change_it_as_far_as_it_is_shared_and_while_it_is():
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    house, _ = await properties.create(ann, HOUSE)
    await properties.create(bob, PropertyFields(display_name="Flat"))
    share, _ = await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    assert await seen(bob) == [("Flat", "own"), ("House", "read")]
    assert await seen(ann) == [("House", "own")], "a share goes one way"
    with pytest.raises(Forbidden, match="read alone"):
        await properties.change(bob, house.id, PropertyFields(display_name="Bob's"))
    await sharing.change(ann, share.id, ShareChange(level="edit"))
    changed, _ = await properties.change(bob, house.id, PropertyFields(display_name="Bob was here"))
    assert (changed.user_id, changed.access) == (ann.id, "edit")
    with pytest.raises(Forbidden, match="owner"):
        await properties.delete(bob, house.id)
    await sharing.revoke(ann, share.id)
    assert await seen(bob) == [("Flat", "own")]
    with pytest.raises(NotFound):
        await properties.change(bob, house.id, HOUSE)


async def test_a_share_that_is_revoked_while_a_change_is_under_way_holds_it_back(monkeypatch):
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    house, _ = await properties.create(ann, HOUSE)
    share, _ = await sharing.grant(ann, ShareRequest(shared_email="bob@example.com", level="edit"))
    saving = properties._save

    async def revoked_meanwhile(*given):
        await sharing.revoke(ann, share.id)
        return await saving(*given)

    monkeypatch.setattr(properties, "_save", revoked_meanwhile)
    with pytest.raises(NotFound):
        await properties.change(bob, house.id, PropertyFields(display_name="too late"))
    assert await seen(ann) == [("House", "own")]


async def test_pages_are_of_the_newest_first():
    ann = await registered("ann@example.com")
    for number in range(5):
        await properties.create(ann, PropertyFields(display_name=f"P{number}"))
    assert await seen(ann, limit=2) == [("P4", "own"), ("P3", "own")]
    assert await seen(ann, page=3, limit=2) == [("P0", "own")]
    assert (await properties.listed(await store().view(), ann, page=9, limit=2)).total == 5


async def test_they_end_with_the_account():
    ann = await registered("ann@example.com")
    house, _ = await properties.create(ann, HOUSE)
    await lifecycle.delete(ann, PASSWORD)
    assert await (await store().view()).get(PROPERTIES, house.id) is None
