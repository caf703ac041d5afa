"""Which chain a backup belongs to, and how the last backup of a chain has cut each table."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.backups.blobs.manifests import list_manifests, read_manifest_of, read_verdict
from shared.backups.settings import settings
from shared.platform.errors import TerminalError

TIME = "%Y%m%dT%H%M%SZ"
"""How the ids of backups and chains tell when they began, in UTC."""


async def chain_for(now: datetime) -> str:
    """The chain that a backup of now belongs to: the newest, or a new one.

    A new one begins when that is BACKUPS_CHAIN_DAYS old, or when its last verification found it wanting.
    """
    known = await list_manifests()
    chain = known[-1].split("/")[1] if known else ""
    oldest = (now - timedelta(days=settings().backups_chain_days)).strftime(TIME)
    if chain <= oldest:
        return now.strftime(TIME)
    of_chain = [name.rpartition("/")[2].removesuffix(".json") for name in known if name.split("/")[1] == chain]
    for backup in reversed(of_chain):
        if (verdict := await read_verdict(backup)) is not None:
            return chain if verdict.verdict == "same" else now.strftime(TIME)
    return chain


async def cuts_of(chain: str) -> dict[str, int]:
    """How the last backup of the chain has cut each table; nothing if it cannot be read, which a verification tells."""
    of_chain = [name for name in await list_manifests() if name.split("/")[1] == chain]
    try:
        last = await read_manifest_of(of_chain[-1]) if of_chain else None
    except TerminalError:
        last = None
    return {table.full_name: table.cut for table in last.tables} if last else {}
