"""What each record of a user makes of the rows before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.authcache.log.records import Drop, Put, Record
from shared.authcache.log.users import (
    AddressChanged,
    PasswordChanged,
    SessionsEnded,
    UserChanged,
    UserCreated,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserVerified,
)
from shared.authcache.models import User
from shared.authcache.reading.levels import Overlay
from shared.authcache.reading.view import View
from shared.authcache.tables import DOCUMENTS, FAMILIES, PROPERTIES, SHARES, USERS
from tests.present import present
from tests.unit.shared.authcache.rows import AT, document, family, owned_property, share, user

LATER = AT + timedelta(hours=1)
ANN = user("ann", tax_rate=Decimal("12.50"))


def rows(*puts: Put) -> View:
    overlay = Overlay()
    overlay.apply(puts)
    return View(1, (overlay,), ())


async def after(record: Record, before: User = ANN) -> User:
    """The user when the record has been applied, to whom nothing else may have happened."""
    changes = await record.changes(rows(Put(USERS, before)))
    overlay = Overlay()
    overlay.apply(changes)
    changed = present(await View(2, (overlay,), ()).get(USERS, before.id))
    assert [change.table for change in changes] == [USERS]
    return changed


async def test_a_new_user_is_verified_only_where_the_record_says_so() -> None:
    fields = {"id": "ann", "email": "Ann@example.com", "address": "ann@example.com", "password_hash": "hash"}
    created = UserCreated.model_validate({"at": AT, "first_name": "Ann", "last_name": "Lee", **fields})
    made = await after(created)
    assert (made.email, made.address, made.verified_at, made.created_at) == ("Ann@example.com", ANN.address, None, AT)
    assert (await after(created.model_copy(update={"verified": True}))).verified_at == AT


async def test_a_profile_changes_in_the_fields_that_are_named_none_among_them() -> None:
    changed = await after(UserChanged(at=LATER, user="ann", last_name="Li", tax_rate=None))
    assert changed == replace(ANN, last_name="Li", tax_rate=None, updated_at=LATER)


async def test_a_proof_of_an_earlier_address_verifies_nothing() -> None:
    proof = UserVerified(at=LATER, user="ann", address="old@example.com")
    assert await proof.changes(rows(Put(USERS, ANN))) == []
    assert (await after(proof.model_copy(update={"address": ANN.address}))).verified_at == LATER


async def test_another_address_has_to_be_verified_anew() -> None:
    record = AddressChanged(at=LATER, user="ann", email="New@example.com", address="new@example.com")
    changed = await after(record, replace(ANN, verified_at=AT))
    assert (changed.email, changed.address, changed.verified_at) == ("New@example.com", "new@example.com", None)


async def test_what_ends_sessions_does_so_from_the_time_of_the_record() -> None:
    new = PasswordChanged(at=LATER, user="ann", password_hash="new")
    assert await after(new) == replace(ANN, password_hash="new", sessions_from=LATER, updated_at=LATER)
    kept = await after(new.model_copy(update={"ends_sessions": False}))
    assert (kept.password_hash, kept.sessions_from) == ("new", None)
    assert (await after(SessionsEnded(at=LATER, user="ann"))).sessions_from == LATER
    disabled = await after(UserDisabled(at=LATER, user="ann"))
    assert (disabled.is_active, disabled.sessions_from) == (False, LATER)
    enabled = await after(UserEnabled(at=LATER + timedelta(hours=1), user="ann"), disabled)
    assert (enabled.is_active, enabled.sessions_from) == (True, LATER)


async def test_a_deleted_user_takes_along_what_is_theirs_and_nothing_of_others() -> None:
    before = rows(
        Put(USERS, ANN),
        Put(SHARES, share("s1", "ann", "bob@example.com")),
        Put(SHARES, share("s2", "bob", ANN.address)),
        Put(FAMILIES, family("f1", "ann")),
        Put(FAMILIES, family("f2", "bob")),
        Put(PROPERTIES, owned_property("p1", "ann")),
        Put(PROPERTIES, owned_property("p2", "bob")),
        Put(DOCUMENTS, document("d1", "ann")),
        Put(DOCUMENTS, document("d2", "bob")),
    )
    assert await UserDeleted(at=LATER, user="ann").changes(before) == [
        Drop(USERS, "ann"),
        Drop(SHARES, "s1"),
        Drop(FAMILIES, "f1"),
        Drop(PROPERTIES, "p1"),
        Drop(DOCUMENTS, "d1"),
    ]


async def test_a_record_of_a_user_who_does_not_exist_changes_nothing() -> None:
    for record in (UserChanged(at=LATER, user="bob", last_name="X"), UserDisabled(at=LATER, user="bob")):
        assert await record.changes(rows(Put(USERS, ANN))) == []
