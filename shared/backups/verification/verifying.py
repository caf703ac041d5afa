"""Whether a backup is what it says: its rows and definitions as restored, its files, and the live rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.blobs.carrying import damaged
from shared.backups.verification.comparing import SHOWN, compare, look_at_live_rows, note, noted

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.backups.models import Manifest, Verdict


async def verify(connection: AsyncConnection[Any], manifest: Manifest, *, deadline: float) -> Verdict:
    """Go on with the comparison of a restored backup; call again until the verdict is `done`."""
    verdict = await compare(connection, manifest, deadline=deadline)
    if not verdict.done:
        return verdict
    await note(connection, verdict.differences)
    await connection.commit()
    if not await look_at_live_rows(connection, manifest, deadline=deadline):
        return verdict.model_copy(update={"done": False})
    await note(connection, await damaged(manifest))
    differences = await noted(connection)
    return verdict.model_copy(
        update={"verdict": "different" if differences else "same", "differences": differences[:SHOWN]}
    )
