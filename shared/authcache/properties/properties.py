"""Who sees and changes which properties: the owner all of it, others as far as the owner shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from shared.authcache.accounts import sharing
from shared.authcache.accounts.users import user_exists, user_of
from shared.authcache.log.belongings import PropertyDeleted, PropertySaved
from shared.authcache.log.groups import Lsn
from shared.authcache.models import Property, User
from shared.authcache.properties.models import PropertyAnswer, PropertyFields, PropertyPage
from shared.authcache.reading.view import View
from shared.authcache.store import store
from shared.authcache.tables import PROPERTIES
from shared.authcache.writing.uniqueness import Check
from shared.platform.errors import Forbidden, NotFound

OWN = "own"


async def listed(view: View, user: User, *, page: int, limit: int) -> PropertyPage:
    """The user's own properties and those that others share with the user, the newest first."""
    levels = {user.id: OWN} | {share.owner.id: share.level for share in await sharing.with_me(view, user)}
    rows = [row for owner in levels for row in await view.find(PROPERTIES, "owner", owner)]
    rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    first = (page - 1) * limit
    items = [PropertyAnswer.of(row, levels[row.owner]) for row in rows[first : first + limit]]
    return PropertyPage(items=items, total=len(rows), page=page, limit=limit)


async def read(view: View, user: User, property_id: str) -> PropertyAnswer:
    """The property. Raises NotFound: there is none of this id that the user may see."""
    row, level = await _seen(view, user, property_id)
    return PropertyAnswer.of(row, level)


async def create(user: User, fields: PropertyFields) -> tuple[PropertyAnswer, Lsn]:
    """A new property of the user's own. Raises NotFound: the account is no more."""
    return await _save(user, uuid4().hex, user.id, fields, user_exists(user.id))


async def change(user: User, property_id: str, fields: PropertyFields) -> tuple[PropertyAnswer, Lsn]:
    """Put other fields in the place of a property's.

    Raises:
        NotFound: there is none of this id that the user may see.
        Forbidden: it is shared with the user to read alone.
    """

    async def check(view: View) -> None:
        await _editable(view, user, property_id)

    row, _ = await _editable(await store().view(), user, property_id)
    return await _save(user, property_id, row.owner, fields, check)


async def delete(user: User, property_id: str) -> Lsn:
    """Delete one's own property.

    Raises:
        NotFound: there is none of this id that the user may see.
        Forbidden: it is somebody else's.
    """

    async def check(view: View) -> None:
        if (await _seen(view, user, property_id))[1] != OWN:
            raise Forbidden("Only its owner deletes a property.", code="not-the-owner")

    return await store().commit([PropertyDeleted(at=datetime.now(UTC), id=property_id)], check=check)


async def _save(
    user: User, property_id: str, owner: str, fields: PropertyFields, check: Check
) -> tuple[PropertyAnswer, Lsn]:
    values: dict[str, Any] = fields.model_dump()
    values["purchase_date"] = fields.purchase_date.isoformat() if fields.purchase_date else None
    saved = PropertySaved(at=datetime.now(UTC), id=property_id, owner=owner, **values)
    lsn = await store().commit([saved], check=check)
    view = await store().view(lsn)
    return await read(view, await user_of(view, user.id), property_id), lsn


async def _seen(view: View, user: User, property_id: str) -> tuple[Property, str]:
    row = await view.get(PROPERTIES, property_id)
    if row is not None:
        if row.owner == user.id:
            return row, OWN
        owner = await view.user_by_id(row.owner)
        viewer = await view.user_by_id(user.id)
        if owner is not None and owner.is_active and viewer is not None:
            share = await sharing.access(view, viewer, row.owner)
            if share is not None:
                return row, share.level
    raise NotFound("There is no such property, or not for you.", code="unknown-property")


async def _editable(view: View, user: User, property_id: str) -> tuple[Property, str]:
    row, level = await _seen(view, user, property_id)
    if level not in (OWN, "edit"):
        raise Forbidden(
            "The property is shared with you to read alone.", code="read-only", remedy="Ask its owner for `edit`."
        )
    return row, level
