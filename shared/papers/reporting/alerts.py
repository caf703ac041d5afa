"""The mails of the papers to operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.alerting.alerts import AlertKind, try_to_send

if TYPE_CHECKING:
    from shared.papers.models import Ingest

INGEST_HELD = AlertKind(
    "ingest-held",
    "A file would spoil the papers, and waits. See its reasons and rejected records, then release or discard it.",
)
INGEST_FAILED = AlertKind(
    "ingest-failed",
    "A file could not be taken in, and nothing of it was published. Mend what it names, and upload the file again.",
)
MAP_OUTGROWN = AlertKind(
    "map-outgrown",
    "The papers have outgrown their map. Make another version, in which papers stay: POST /api/papers/map/versions.",
)
KINDS = (INGEST_HELD, INGEST_FAILED, MAP_OUTGROWN)


async def alert_held(ingest: Ingest) -> None:
    """A file is held back."""
    because = "".join(f"- {reason}\n" for reason in ingest.held_because)
    at = f"/api/papers/ingests/{ingest.ingest_id}"
    await try_to_send(
        INGEST_HELD.about(
            f"papers/{ingest.ingest_id}",
            subject=f"[Manifold] papers: the file {ingest.blob} is held back",
            text=(
                f"The file {ingest.blob} was read, and is not merged:\n{because}\n"
                f"See what was rejected:\n    GET {at}/rejects\n"
                f"Then let it in as it is, or give it up:\n    POST {at}/release\n    POST {at}/discard\n"
            ),
        )
    )


async def alert_failed(ingest: Ingest) -> None:
    """A file could not be taken in."""
    await try_to_send(
        INGEST_FAILED.about(
            f"papers/{ingest.ingest_id}",
            subject=f"[Manifold] papers: the file {ingest.blob} could not be taken in",
            text=(
                f"The file {ingest.blob} of the source {ingest.source} could not be taken in:\n    {ingest.error}\n\n"
                "A new version of the file under the same name is taken in by itself. The same version, once the cause"
                " is gone, by:\n    POST /api/papers/ingest\n"
            ),
        )
    )


async def alert_outgrown(version: int, because: list[str]) -> None:
    """Another fit of the map is due."""
    await try_to_send(
        MAP_OUTGROWN.about(
            f"papers/map-{version}",
            subject=f"[Manifold] papers: the map {version} is outgrown",
            text=(
                "Another version of the map of papers is due:\n"
                + "".join(f"- {reason}\n" for reason in because)
                + "\nIt begins at this one, so that papers stay where they are:\n    POST /api/papers/map/versions\n"
            ),
        )
    )
