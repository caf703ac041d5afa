"""Up to when a feed has been read and consolidated: one small blob per feed, which only ever moves forward."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from shared.diamonds.models import FeedName, Model
from shared.diamonds.settings import settings
from shared.platform.errors import Conflict, TerminalError, TransientError
from shared.platform.health import Check
from shared.platform.stores.blobs import blob_service, read_blob, write_blob

ATTEMPTS = 5


class Watermark(Model):
    """The blob's content; its keys are those of the system being replaced: lastUpdatedAt, lastRunId, ..."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)

    last_updated_at: AwareDatetime
    last_run_id: UUID
    last_run_completed_at: AwareDatetime


async def read(feed: FeedName) -> Watermark | None:
    """The feed's watermark, or None if no run has completed yet.

    Raises:
        TerminalError: the blob's content is not a watermark.
        TransientError: the storage account did not answer.
    """
    return (await _read(feed))[0]


async def advance(feed: FeedName, run_id: UUID, to: datetime) -> Watermark:
    """Move the watermark to `to` unless it is that far already, and give what then stands.

    Call it only after the run's consolidation succeeded. A repeat by the same run changes nothing; nor does a run that
    finishes after a later one.

    Raises:
        TerminalError: the blob's content is not a watermark.
        TransientError: the storage account did not answer, or others kept writing the blob.
    """
    new = Watermark(last_updated_at=to, last_run_id=run_id, last_run_completed_at=datetime.now(UTC))
    for _ in range(ATTEMPTS):
        current, etag = await _read(feed)
        if current and (current.last_run_id == run_id or current.last_updated_at >= to):
            return current
        try:
            await write_blob(
                settings().watermark_container, _blob(feed), new.model_dump_json(indent=2).encode(), seen=etag
            )
        except Conflict:
            continue
        return new
    raise TransientError(
        f"The watermark of the feed {feed} was written by others {ATTEMPTS} times in a row.", code="watermark-contended"
    )


async def check() -> None:
    """See that the container of the watermarks answers and that the app may read it."""
    await blob_service().get_container_client(settings().watermark_container).exists()


PROBE = Check("blobs", check)


async def _read(feed: FeedName) -> tuple[Watermark | None, str | None]:
    container, name = settings().watermark_container, _blob(feed)
    blob = await read_blob(container, name)
    if blob is None:
        return None, None
    try:
        return Watermark.model_validate_json(blob.data), blob.etag
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'content'}: {e['msg']}" for e in error.errors())
        raise TerminalError(
            f"The blob {container}/{name} is not a watermark: {wrong}.",
            code="watermark-corrupt",
            remedy="Write it as {lastUpdatedAt, lastRunId, lastRunCompletedAt} or delete it and start a full run.",
        ) from None


def _blob(feed: FeedName) -> str:
    return f"{feed}.json"
