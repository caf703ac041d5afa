"""Messages of the queue: each names its deployment, and what is sent twice is dropped unless it shall not be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.deploys.documents import store
from shared.deploys.requests import queue
from shared.platform.errors import TransientError


async def test_what_was_sent_is_noted_and_sent_twice_has_one_id(new, sent) -> None:
    written = await store.create(new())
    for _ in range(2):
        assert await queue.enqueue(written)
    assert [message_id for *_, message_id in sent.messages] == [written.id] * 2
    assert (await store.load(written.id, written.organization_id)).sent_at is not None


async def test_what_is_sent_again_has_an_id_of_its_own_each_time(new, sent) -> None:
    written = await store.create(new())
    for _ in range(2):
        assert await queue.enqueue(written, again=True)
    ids = {message_id for *_, message_id in sent.messages}
    assert len(ids) == 2
    assert all(one.startswith(f"{written.id}~") for one in ids)


async def test_nothing_is_noted_of_what_the_queue_did_not_accept(new, sent) -> None:
    written = await store.create(new())
    sent.down = True
    assert not await queue.enqueue(written)
    assert (await store.load(written.id, written.organization_id)).sent_at is None


async def test_a_message_is_postponed_as_often_as_it_may_be(sent) -> None:
    message = queue.DeploymentMessage(deployment_id="dep_AAAAAAAAAAAA")
    assert await queue.postpone(message) == timedelta(seconds=60)
    [(_, body, _)] = sent.messages
    assert body == {**message.model_dump(mode="json", by_alias=True), "attempt": 2}
    last = message.model_copy(update={"attempt": queue.ATTEMPTS})
    assert await queue.postpone(last) is None
    sent.down = True
    with pytest.raises(TransientError):
        await queue.postpone(message)


async def test_a_free_slot_is_announced_once_for_each_deployment_that_left_it(sent) -> None:
    for released in ("dep_BBBBBBBBBBBB", "dep_BBBBBBBBBBBB", "dep_CCCCCCCCCCCC"):
        await queue.send_slot_free("dep_AAAAAAAAAAAA", released=released)
    assert [body["what"] for _, body, _ in sent.messages] == ["slot"] * 3
    assert len({message_id for *_, message_id in sent.messages}) == 2
