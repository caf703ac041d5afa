"""What was accepted reaches the queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.deploys.documents import store
from shared.deploys.requests import intake


async def test_what_is_sent_again_is_no_duplicate_to_the_queue(new, sent) -> None:
    old = datetime.now(UTC) - timedelta(hours=1)
    written = await store.create(new(created_at=old, updated_at=old))
    await intake.send_unsent(timedelta(minutes=15))
    ids = [message_id for _, body, message_id in sent.messages if body["deploymentId"] == written.id]
    assert len(ids) == 1
    assert ids[0].startswith(f"{written.id}~")
