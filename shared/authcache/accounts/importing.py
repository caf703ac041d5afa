"""Users who come from elsewhere, with the hashes that were made there. One bad row fails alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from shared.authcache import addresses
from shared.authcache.accounts.models import Imported, ImportedUser, ImportReport, UnusableRow
from shared.authcache.log.groups import Lsn
from shared.authcache.log.records import Record
from shared.authcache.log.users import UserCreated, UserDisabled
from shared.authcache.reading.view import View
from shared.authcache.store import store
from shared.platform.access.passwords.kinds import cost_of
from shared.platform.errors import InvalidInput


async def import_users(users: Sequence[ImportedUser | UnusableRow]) -> tuple[ImportReport, Lsn]:
    """Make a user of each row; the same rows may be sent again, and those that are there stay as they are.

    Raises:
        TransientError: the blobs cannot be written; nothing was.
    """
    rows: list[Imported] = []
    ready: dict[str, tuple[Imported, list[Record]]] = {}
    for number, user in enumerate(users):
        if isinstance(user, UnusableRow):
            rows.append(Imported(row=number, email=user.email, status="refused", detail=user.detail))
            continue
        try:
            address, records = _records(user)
        except InvalidInput as refused:
            detail = f"{refused.message} {refused.remedy or ''}".strip()
            rows.append(Imported(row=number, email=user.email, status="refused", detail=detail))
            continue
        row = Imported(row=number, email=address.display, status="exists")
        rows.append(row)
        if address.key not in ready:
            ready[address.key] = (row, records)
    writing: list[Record] = []
    new: list[Imported] = []

    async def check(view: View) -> None:
        writing.clear()
        new.clear()
        for key, (row, records) in ready.items():
            if await view.user_by_address(key) is None:
                writing.extend(records)
                new.append(row)

    lsn = await store().commit(writing, check=check)
    for row in new:
        created = ready[addresses.parse(row.email).key][1][0]
        assert isinstance(created, UserCreated)
        row.status, row.id = "created", created.id
    return ImportReport(created=len(new), rows=rows), lsn


def _records(user: ImportedUser) -> tuple[addresses.Address, list[Record]]:
    address = addresses.parse(user.email)
    if user.password_hash:
        cost_of(user.password_hash)
    at = datetime.now(UTC)
    created = UserCreated(
        at=at,
        id=uuid4().hex,
        email=address.display,
        address=address.key,
        **user.model_dump(exclude={"email", "is_active"}),
    )
    return address, [created] if user.is_active else [created, UserDisabled(at=at, user=created.id)]
