"""The log in Blob Storage: log/<LSN> holds a group of records, created by whoever comes first and never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from shared.authcache.log.kinds import KINDS
from shared.authcache.log.records import Record
from shared.authcache.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.stores.immutable_blobs import create_once, read_whole

Lsn = int
"""The place of a group in the log; the first is 1, and 0 is before all."""

AT_ONCE = 32
"""Groups that are read or deleted at the same time."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records that became durable together.

    Attributes:
        id: tells a writer whose answer was lost that the group is its own.
        data: the group as it stands in its blob.
    """

    id: str
    records: Sequence[Record]
    data: bytes

    @property
    def writer(self) -> str:
        """The name of the instance that wrote it, with which the id begins."""
        return self.id.partition("-")[0]


def new_group(writer: str, records: Sequence[Record]) -> Group:
    """A group of the instance of that name."""
    group_id = f"{writer}-{uuid4().hex}"
    # Of each record pydantic writes the JSON text; joined as text it need not be read again to be nested.
    texts = (f'{{"kind":"{one.kind}",{one.model_dump_json(exclude_unset=True)[1:]}' for one in records)
    data = f'{{"id":"{group_id}","records":[{",".join(texts)}]}}'.encode()
    return Group(group_id, records, data)


def group_of(data: bytes) -> Group:
    """The group of a blob.

    Raises:
        TerminalError: a record is of a kind that this version of the app does not know, or is none at all.
    """
    try:
        fields: dict[str, Any] = json.loads(data)
        records = [KINDS[one["kind"]].model_validate(one) for one in fields["records"]]
        return Group(fields["id"], records, data)
    except (KeyError, ValueError, TypeError) as error:
        raise TerminalError(
            f"The log holds a record that this version of the app cannot read: {type(error).__name__} {error}.",
            code="log-unreadable",
            remedy="Deploy the version that wrote it, or a newer one.",
        ) from error


def log_name(lsn: Lsn) -> str:
    """The name of a group's blob."""
    return f"log/{lsn:016d}"


async def read_group(lsn: Lsn) -> Group | None:
    """The group at that place; None if nothing has been written there.

    Raises:
        TransientError: the blobs cannot be read.
    """
    data = await read_whole(settings().authcache_container, log_name(lsn))
    return None if data is None else group_of(data)


async def create_group(lsn: Lsn, group: Group) -> bool:
    """Write the group at that place; False if somebody else, or an earlier try of ours, did.

    Raises:
        TransientError: whether it was written is not known.
    """
    return await create_once(settings().authcache_container, log_name(lsn), group.data)
