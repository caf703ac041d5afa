"""Which chain a backup belongs to, and how the last backup of a chain has cut each table."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.backups.blobs.manifests import list_names, read_manifest_of, read_verdict
from shared.backups.blobs.names import TIME
from shared.backups.settings import settings
from shared.platform.errors import TerminalError


async def chain_for(now: datetime) -> str:
    """The chain that a backup of now belongs to: the newest, or a new one.

    A new one begins when that is BACKUPS_CHAIN_DAYS old, or when its last verification found it wanting.
    """
    known = await list_names()
    chain = known[-1].chain if known else ""
    oldest = (now - timedelta(days=settings().backups_chain_days)).strftime(TIME)
    if chain <= oldest:
        return now.strftime(TIME)
    for name in reversed(known):
        if name.chain == chain and (verdict := await read_verdict(name.id)) is not None:
            return chain if verdict.verdict == "same" else now.strftime(TIME)
    return chain


async def cuts_of(chain: str) -> dict[str, int]:
    """How the last backup of the chain has cut each table; nothing if it cannot be read, which a verification tells."""
    of_chain = [name for name in await list_names() if name.chain == chain]
    try:
        last = await read_manifest_of(of_chain[-1]) if of_chain else None
    except TerminalError:
        last = None
    return {table.full_name: table.cut for table in last.tables} if last else {}
