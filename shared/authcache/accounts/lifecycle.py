"""Accounts: made, proven, changed, disabled and deleted. Each function is one write, and gives its LSN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from shared.authcache import addresses
from shared.authcache.accounts.mails import address_fingerprint, fingerprint, link_refused, read_token
from shared.authcache.accounts.models import Profile, Registration
from shared.authcache.accounts.users import user_exists, user_of
from shared.authcache.log.groups import Lsn
from shared.authcache.log.records import Record
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
from shared.authcache.reading.view import View
from shared.authcache.store import store
from shared.authcache.writing.uniqueness import Check, address_is_free
from shared.platform.access.passwords.checking import hashed, matches
from shared.platform.errors import InvalidInput, WrongPassword


async def register(request: Registration) -> tuple[User, Lsn]:
    """A new user, whose address is not shown to be theirs yet.

    Raises:
        InvalidInput: the address is unusable.
        Conflict: there is a user with this address.
        TransientError: too many passwords are being hashed, or the blobs cannot be written.
    """
    address = addresses.parse(request.email)
    free = address_is_free(address.key)
    await free(await store().view())
    created = UserCreated(
        at=datetime.now(UTC),
        id=uuid4().hex,
        email=address.display,
        address=address.key,
        password_hash=await hashed(request.password.get_secret_value()),
        **request.model_dump(exclude={"email", "password"}),
    )
    return await _written(created.id, [created], free)


async def change_profile(user: User, profile: Profile) -> tuple[User, Lsn]:
    """Change what the profile names. Raises InvalidInput: the user would have no name."""
    changes = profile.model_dump(exclude_unset=True)
    for field in ("first_name", "last_name"):
        if field in changes and changes[field] is None:
            raise InvalidInput(f"A user has a {field}; leave the field out to keep it.", field=field)
    return await _written(user.id, [UserChanged(at=datetime.now(UTC), user=user.id, **changes)], user_exists(user.id))


async def verify(token: str) -> tuple[User, Lsn]:
    """Take the token of a mail for proof that the address is the user's; may be repeated.

    Raises:
        Unauthenticated: the token is not good, or the user has another address since.
    """
    claims = read_token("verify", token)
    user = await _known(claims["sub"], claims["lsn"])
    record = UserVerified(at=datetime.now(UTC), user=user.id, address=user.address)
    return await _written(user.id, [record], _unchanged(user.id, claims["of"], address_fingerprint))


async def reset_password(token: str, password: str) -> tuple[User, Lsn]:
    """Set a new password by the token of a mail, which is good once. Ends all sessions, and proves the address.

    Raises:
        Unauthenticated: the token is not good, or was used.
        TransientError: too many passwords are being hashed.
    """
    claims = read_token("reset", token)
    user = await _known(claims["sub"], claims["lsn"])
    await _unchanged(user.id, claims["of"])(await store().view())
    at = datetime.now(UTC)
    records: list[Record] = [PasswordChanged(at=at, user=user.id, password_hash=await hashed(password))]
    if user.verified_at is None:
        records.append(UserVerified(at=at, user=user.id, address=user.address))
    return await _written(user.id, records, _unchanged(user.id, claims["of"]))


async def change_password(user: User, current: str, password: str) -> tuple[User, Lsn]:
    """Change the password; ends all sessions.

    Raises:
        WrongPassword: the current password is wrong.
        TransientError: too many passwords are being hashed.
    """
    await confirm(user, current)
    record = PasswordChanged(at=datetime.now(UTC), user=user.id, password_hash=await hashed(password))
    return await _written(user.id, [record], _unchanged(user.id, fingerprint(user)))


async def upgrade_hash(user: User, password: str) -> None:
    """Keep the same password by a new hash; somebody who changes it meanwhile goes before."""
    record = PasswordChanged(
        at=datetime.now(UTC), user=user.id, password_hash=await hashed(password), ends_sessions=False
    )
    await store().commit([record], check=_unchanged(user.id, fingerprint(user)))


async def new_address(user: User, email: str, password: str) -> addresses.Address:
    """The address that the user wants instead, once its owner confirms it by the link of a mail.

    Raises:
        InvalidInput: it is unusable.
        Conflict: another user has it.
        WrongPassword: the password is wrong.
    """
    address = addresses.parse(email)
    await confirm(user, password)
    await address_is_free(address.key, but_for=user.id)(await store().view())
    return address


async def change_address(token: str) -> tuple[User, User, Lsn]:
    """Take the new address by the token of the mail that went there; the user before and after.

    Raises:
        Unauthenticated: the token is not good, or was used.
        Conflict: another user has the address by now.
    """
    claims = read_token("address", token)
    user = await _known(claims["sub"], claims["lsn"])
    address = addresses.parse(claims["to"])
    same, free = _unchanged(user.id, claims["of"]), address_is_free(address.key, but_for=user.id)

    async def check(view: View) -> None:
        await same(view)
        await free(view)

    at = datetime.now(UTC)
    changed = AddressChanged(at=at, user=user.id, email=address.display, address=address.key, verified=True)
    after, lsn = await _written(user.id, [changed], check)
    return user, after, lsn


async def end_sessions(user: User) -> Lsn:
    """End all sessions of the user."""
    return await store().commit([SessionsEnded(at=datetime.now(UTC), user=user.id)], check=user_exists(user.id))


async def set_active(user_id: str, *, active: bool) -> tuple[User, Lsn]:
    """Take a user's access away, with all sessions, or give it back. Raises NotFound: there is no such user."""
    at = datetime.now(UTC)
    record = UserEnabled(at=at, user=user_id) if active else UserDisabled(at=at, user=user_id)
    return await _written(user_id, [record], user_exists(user_id))


async def delete(user: User, password: str) -> Lsn:
    """Delete the account and what is the user's. Raises WrongPassword: the password is wrong."""
    await confirm(user, password)
    return await store().commit([UserDeleted(at=datetime.now(UTC), user=user.id)], check=user_exists(user.id))


async def confirm(user: User, password: str) -> None:
    """Let on only who knows the password, though signed in. Raises WrongPassword: it is wrong."""
    if not await matches(password, user.password_hash):
        raise WrongPassword("The password is wrong.", remedy="Give the current password.")


async def _known(user_id: str, at_least: Lsn) -> User:
    user = await (await store().view(at_least)).user_by_id(user_id)
    if user is None:
        raise link_refused()
    return user


def _unchanged(user_id: str, expected: str, fingerprint_of: Callable[[User], str] = fingerprint) -> Check:
    async def check(view: View) -> None:
        user = await view.user_by_id(user_id)
        if user is None or not user.is_active or fingerprint_of(user) != expected:
            raise link_refused()

    return check


async def _written(user_id: str, records: Sequence[Record], check: Check) -> tuple[User, Lsn]:
    lsn = await store().commit(records, check=check)
    return await user_of(await store().view(lsn), user_id), lsn
