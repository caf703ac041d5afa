"""Accounts: proven, changed, deleted, each by who may and once."""

import asyncio
from decimal import Decimal

import pytest

from shared.authcache.accounts import importing, lifecycle, sign_in
from shared.authcache.accounts.mails import address_fingerprint, fingerprint
from shared.authcache.accounts.models import ImportedUser, Profile
from shared.authcache.store import store
from shared.platform.errors import Conflict, Forbidden, InvalidInput, Unauthenticated
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, link, registered, registration
from tests.present import present


async def again(user):
    return await (await store().view()).user_by_id(user.id)


async def test_of_many_who_register_one_address_at_once_one_does():
    made = await asyncio.gather(
        *(lifecycle.register(registration(email)) for email in ["a@Example.com", "A@example.com", "a@EXAMPLE.COM."]),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in made) == ["Conflict", "Conflict", "tuple"]


async def test_a_new_user_is_not_verified_and_the_link_is_for_this_address_alone():
    ann = await registered("ann@example.com", verified=False)
    assert ann.verified_at is None
    bob = await registered("bob@example.com", verified=False)
    with pytest.raises(Unauthenticated, match="link"):
        await lifecycle.verify(link("verify", ann, address_fingerprint(bob)))
    with pytest.raises(Unauthenticated, match="link"):
        await lifecycle.verify(link("verify", ann, address_fingerprint(ann), exp=1))
    with pytest.raises(Unauthenticated, match="link"):
        await lifecycle.verify(link("reset", ann, fingerprint(ann)))
    ann, _ = await lifecycle.verify(link("verify", ann, address_fingerprint(ann)))
    assert ann.verified_at
    assert present(await again(bob)).verified_at is None


async def test_a_link_for_a_new_password_is_good_once_and_proves_the_address():
    ann = await registered("ann@example.com", verified=False)
    token = link("reset", ann, fingerprint(ann))
    changed, _ = await lifecycle.reset_password(token, "another long password")
    assert changed.verified_at
    with pytest.raises(Unauthenticated, match="link"):
        await lifecycle.reset_password(token, "a third long password")
    view = await store().view()
    assert (await sign_in.log_in(view, "ann@example.com", "another long password")).id == ann.id


async def test_who_has_no_password_sets_one_by_mail():
    row = ImportedUser(email="ann@example.com", first_name="A", last_name="B")
    report, _ = await importing.import_users([row])
    ann = present(await (await store().view()).user_by_id(present(report.rows[0].id)))
    with pytest.raises(Unauthenticated):
        await sign_in.log_in(await store().view(), "ann@example.com", "")
    await lifecycle.reset_password(link("reset", ann, fingerprint(ann)), PASSWORD)
    assert await sign_in.log_in(await store().view(), "ann@example.com", PASSWORD)


async def test_an_address_is_changed_by_the_link_of_the_mail_that_went_there():
    ann = await registered("ann@example.com")
    with pytest.raises(Forbidden):
        await lifecycle.new_address(ann, "new@example.com", "wrong")
    wanted = await lifecycle.new_address(ann, "New@Example.com", PASSWORD)
    assert present(await again(ann)).address == "ann@example.com"
    token = link("address", ann, fingerprint(ann), to=wanted.display)
    before, after, _ = await lifecycle.change_address(token)
    assert (before.email, after.email, after.address) == ("ann@example.com", "New@example.com", "new@example.com")
    assert after.verified_at
    with pytest.raises(Unauthenticated, match="link"):
        await lifecycle.change_address(token)
    assert await registered("ann@example.com")


async def test_an_address_that_somebody_took_meanwhile_is_not_taken_again():
    ann = await registered("ann@example.com")
    token = link("address", ann, fingerprint(ann), to="new@example.com")
    await registered("new@example.com")
    with pytest.raises(Conflict):
        await lifecycle.change_address(token)
    with pytest.raises(Conflict):
        await lifecycle.new_address(ann, "new@example.com", PASSWORD)


async def test_a_profile_changes_in_what_is_named():
    ann = await registered("ann@example.com", tax_rate="12.50")
    changed, _ = await lifecycle.change_profile(ann, Profile(last_name="Li", mortgage_interest_rate=Decimal("3.25")))
    assert (changed.first_name, changed.last_name) == ("Ann", "Li")
    assert (str(changed.tax_rate), str(changed.mortgage_interest_rate)) == ("12.50", "3.25")
    changed, _ = await lifecycle.change_profile(changed, Profile(tax_rate=None))
    assert changed.tax_rate is None
    with pytest.raises(InvalidInput):
        await lifecycle.change_profile(changed, Profile(first_name=None))


async def test_an_account_is_deleted_by_who_knows_its_password_and_its_address_is_free_again():
    ann = await registered("ann@example.com")
    with pytest.raises(Forbidden):
        await lifecycle.delete(ann, "wrong")
    await lifecycle.delete(ann, PASSWORD)
    assert await again(ann) is None
    assert (await registered("ann@example.com")).id != ann.id


async def test_an_import_takes_every_row_that_it_can_and_may_be_repeated():
    def row(email, **fields):
        return ImportedUser(email=email, first_name="A", last_name="B", **fields)

    rows = [
        row("a@example.com", password_hash="$2y$10$" + "." * 53, verified=True),
        row("A@EXAMPLE.com"),
        row("no address"),
        row("b@example.com", password_hash="md5"),
        row("c@example.com", is_active=False),
    ]
    report, _ = await importing.import_users(rows)
    assert [one.status for one in report.rows] == ["created", "exists", "refused", "refused", "created"]
    assert report.created == 2
    view = await store().view()
    assert present(await view.user_by_address("a@example.com")).verified_at
    assert not present(await view.user_by_address("c@example.com")).is_active
    report, _ = await importing.import_users(rows)
    assert [one.status for one in report.rows] == ["exists", "exists", "refused", "refused", "exists"]
