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
VECTORS_STOPPED = AlertKind(
    "vectors-stopped",
    "The model that embeds papers refuses us, or every text. Mend what its problem names: GET /api/papers/models.",
)
VECTORS_FAILED = AlertKind(
    "vectors-failed",
    "A model refused texts of papers for good. See why, and have them tried again: POST /api/papers/enrich?retry=true.",
)
MODEL_HELD = AlertKind(
    "model-held",
    "A new model lacks vectors, and is not searched. See why, then mend it, or release it as it is.",
)
KINDS = (INGEST_HELD, INGEST_FAILED, MAP_OUTGROWN, VECTORS_STOPPED, VECTORS_FAILED, MODEL_HELD)


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


async def alert_stopped(model: str, problem: str) -> None:
    """Papers get no vector by a model, and will not before somebody mends it."""
    await try_to_send(
        VECTORS_STOPPED.about(
            f"papers/{model}",
            subject=f"[Manifold] papers: no vectors by {model}",
            text=(
                f"Papers get no vector by the model {model}:\n- {problem}\n\n"
                "It is tried again every ten minutes; no paper is marked as failed. How far it is:\n"
                "    GET /api/papers/models\n"
            ),
        )
    )


async def alert_vectors_failed(model_id: int, model: str, failed: int) -> None:
    """A model refused texts as often as they are tried."""
    await try_to_send(
        VECTORS_FAILED.about(
            f"papers/{model}",
            subject=f"[Manifold] papers: {model} has failed for texts",
            text=(
                f"The model {model} gave no vector to {failed:,} more papers, as often as they were tried. See why:\n"
                f"    GET /api/papers/models/{model_id}/refused\n"
                "Have all of them tried again:\n    POST /api/papers/enrich?retry=true\n"
            ),
        )
    )


async def alert_model_held(model: str, because: str) -> None:
    """A version that is built is not searched, since it lacks vectors."""
    await try_to_send(
        MODEL_HELD.about(
            f"papers/{model}",
            subject=f"[Manifold] papers: the model {model} is held back",
            text=(
                f"The model {model} is not put in the place of the one that is searched:\n- {because}\n\n"
                "Mend its settings, and have what it refused tried again:\n    POST /api/papers/enrich?retry=true\n"
                "Or search it as it is:\n    POST /api/papers/models/release\n"
                "Or name the model before in the settings again: this one is given up then.\n"
            ),
        )
    )
