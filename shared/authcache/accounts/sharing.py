"""Shares: who lets whom see what is theirs, how far and until when, and what follows from it.

A share goes one way, and is found from both ends. It is for an address, so that it can be given before its owner has an
account; what it opens is seen only by somebody who has shown that the address is theirs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from shared.authcache import addresses
from shared.authcache.accounts.models import ShareChange, SharedWithMeAnswer, Sharer, ShareRequest
from shared.authcache.accounts.users import user_of
from shared.authcache.log.groups import Lsn
from shared.authcache.log.records import Record
from shared.authcache.log.shares import ShareGranted, ShareRevoked
from shared.authcache.models import Share, User
from shared.authcache.reading.view import View
from shared.authcache.store import store
from shared.authcache.tables import SHARES
from shared.authcache.writing.uniqueness import Check
from shared.platform.errors import Conflict, InvalidInput, NotFound


async def access(view: View, viewer: User, owner: str) -> Share | None:
    """What lets this user see what is the owner's, now; None: nothing does."""
    if viewer.verified_at is None:
        return None
    share = await view.share(owner, viewer.address)
    return share if share is not None and holds(share) else None


def holds(share: Share) -> bool:
    """Whether the share has not expired."""
    return share.expires_at is None or share.expires_at > datetime.now(UTC)


async def grant(owner: User, request: ShareRequest) -> tuple[Share, Lsn]:
    """Share with an address; one that has expired is replaced.

    Raises:
        InvalidInput: the address is no address, or the owner's own; or it would have expired.
        Conflict: it is shared with that address.
    """
    at = datetime.now(UTC)
    address = addresses.parse(request.shared_email)
    if address.key == owner.address:
        raise InvalidInput("You cannot share with yourself.", field="shared_email", code="shared-with-oneself")
    _in_future(request.expires_at, at)
    granted = ShareGranted(
        at=at,
        id=uuid4().hex,
        owner=owner.id,
        shared_email=address.display,
        viewer=address.key,
        level=request.level,
        expires_at=request.expires_at,
    )
    records: list[Record] = [granted]

    lsn = await store().commit(records, check=share_is_new(granted, records))
    return _share_of(granted, at), lsn


def share_is_new(granted: ShareGranted, records: list[Record]) -> Check:
    """The owner is there, and shares nothing with that address; a share that has expired is revoked among `records`."""

    async def check(view: View) -> None:
        await user_of(view, granted.owner)
        earlier = await view.share(granted.owner, granted.viewer)
        if earlier is not None and holds(earlier):
            raise Conflict(
                "This is shared with the address already.",
                code="share-exists",
                remedy="Change that share, or revoke it first.",
            )
        records[:] = [granted] if earlier is None else [ShareRevoked(at=granted.at, id=earlier.id), granted]

    return check


async def change(owner: User, share_id: str, request: ShareChange) -> tuple[Share, Lsn]:
    """Change how far, or until when, something is shared.

    Raises:
        NotFound: the user has no such share.
        InvalidInput: it would have expired.
    """
    at = datetime.now(UTC)
    _in_future(request.expires_at, at)
    earlier = await _own(await store().view(), owner, share_id)
    changed = request.model_fields_set
    if "level" in changed and request.level is None:
        raise InvalidInput("A share has a level; leave the field out to keep it.", field="level")
    granted = ShareGranted(
        at=at,
        id=earlier.id,
        owner=owner.id,
        shared_email=earlier.shared_email,
        viewer=earlier.viewer,
        level=request.level or earlier.level,
        expires_at=request.expires_at if "expires_at" in changed else earlier.expires_at,
    )

    async def check(view: View) -> None:
        await _own(view, owner, share_id)

    lsn = await store().commit([granted], check=check)
    return _share_of(granted, earlier.created_at), lsn


async def revoke(owner: User, share_id: str) -> Lsn:
    """End a share at once. Raises NotFound: the user has no such share."""

    async def check(view: View) -> None:
        await _own(view, owner, share_id)

    return await store().commit([ShareRevoked(at=datetime.now(UTC), id=share_id)], check=check)


async def own(view: View, owner: User) -> list[Share]:
    """What the user shares, the newest first; those that have expired are left out."""
    return sorted(filter(holds, await view.shared_by(owner.id)), key=lambda share: share.created_at, reverse=True)


async def with_me(view: View, viewer: User) -> list[SharedWithMeAnswer]:
    """What others share with the user, the newest first; nothing while the address is not shown to be theirs."""
    if viewer.verified_at is None:
        return []
    shares: list[SharedWithMeAnswer] = []
    for share in filter(holds, await view.shared_with(viewer.address)):
        owner = await view.user_by_id(share.owner)
        if owner is not None and owner.is_active:
            shares.append(_shared_by(share, owner))
    return sorted(shares, key=lambda share: share.created_at, reverse=True)


async def shared_with_me_by(view: View, viewer: User, owner_id: str) -> SharedWithMeAnswer:
    """What that user shares with the caller. Raises NotFound: nothing, or there is no such user."""
    share = await access(view, viewer, owner_id)
    owner = None if share is None else await view.user_by_id(owner_id)
    if share is None or owner is None or not owner.is_active:
        raise NotFound("Nobody of this id shares anything with you.", code="not-shared")
    return _shared_by(share, owner)


async def sharers(view: View, user: User) -> list[Sharer]:
    """Everybody whom the user shares with or who shares with the user, as far as they have accounts."""
    people = {share.owner.id: share.owner for share in await with_me(view, user)}
    for share in await own(view, user):
        other = await view.user_by_address(share.viewer)
        if other is not None and other.verified_at is not None and other.is_active:
            people.setdefault(other.id, _sharer(other))
    return sorted(people.values(), key=lambda person: (person.last_name, person.first_name, person.id))


async def _own(view: View, owner: User, share_id: str) -> Share:
    share = await view.get(SHARES, share_id)
    if share is None or share.owner != owner.id:
        raise NotFound("You have no such share.", code="unknown-share")
    return share


def _share_of(granted: ShareGranted, created_at: datetime) -> Share:
    return Share(**granted.model_dump(exclude={"at"}), created_at=created_at, updated_at=granted.at)


def _shared_by(share: Share, owner: User) -> SharedWithMeAnswer:
    return SharedWithMeAnswer(
        id=share.id,
        owner=_sharer(owner),
        level=share.level,
        expires_at=share.expires_at,
        created_at=share.created_at,
    )


def _sharer(user: User) -> Sharer:
    return Sharer(id=user.id, first_name=user.first_name, last_name=user.last_name, email=user.email)


def _in_future(moment: datetime | None, now: datetime) -> None:
    if moment is not None and moment <= now:
        raise InvalidInput("The share would have ended already.", field="expires_at", code="in-the-past")
