"""Why an ingest is refused, in the same words wherever that is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.errors import Conflict, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from shared.papers.models import IngestState


def unknown_ingest(ingest_id: UUID) -> NotFound:
    """There is no ingest of this id."""
    return NotFound(
        f"There is no ingest {ingest_id}.", code="unknown-ingest", remedy="GET /api/papers/ingests lists them."
    )


def wrong_state(ingest_id: UUID, state: str, needed: IngestState) -> Conflict:
    """A person wants what is done only with an ingest in the `needed` state."""
    return _conflict(ingest_id, state, needed, f"ingest-not-{needed}")


def ingest_ended(ingest_id: UUID, state: str | None, needed: IngestState) -> Conflict:
    """A step finds an ingest that has left the state in which the step is due; None: it was deleted."""
    return _conflict(ingest_id, state or "deleted", needed, "ingest-ended")


def _conflict(ingest_id: UUID, state: str, needed: IngestState, code: str) -> Conflict:
    return Conflict(
        f"The ingest {ingest_id} is {state}, not {needed}.",
        code=code,
        remedy=f"GET /api/papers/ingests/{ingest_id} shows how far it is.",
    )
