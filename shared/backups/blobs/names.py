"""What backups are called: by the moment in which they, and their chains, began."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

TIME = "%Y%m%dT%H%M%SZ"
"""The form of the ids of backups and chains, in UTC."""
MANIFESTS = "manifests/"


class BackupName(NamedTuple):
    """A backup, without what is in it. Names are in the order of their ids."""

    id: str
    chain: str

    @property
    def manifest(self) -> str:
        """The blob of its manifest."""
        return f"{MANIFESTS}{self.chain}/{self.id}.json"

    @property
    def taken_at(self) -> datetime:
        """The moment that its id tells."""
        return moment(self.id)

    @classmethod
    def of_blob(cls, name: str) -> BackupName | None:
        """The backup whose manifest is the blob of that name; None: the blob is none of ours."""
        chain, _, file = name.removeprefix(MANIFESTS).partition("/")
        found = cls(file.removesuffix(".json"), chain)
        return found if found.manifest == name and _is_moment(found.id) and _is_moment(chain) else None


def moment(written: str) -> datetime:
    """The moment that an id tells. Raises ValueError if it tells none."""
    return datetime.strptime(written, TIME).replace(tzinfo=UTC)


def _is_moment(written: str) -> bool:
    try:
        return moment(written).strftime(TIME) == written
    except ValueError:
        return False
