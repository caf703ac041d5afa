"""The watermark in real blobs: forward only, whoever else writes."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.diamonds.runs import watermark
from shared.platform.errors import Conflict, TerminalError, TransientError
from shared.platform.stores.blobs import read_blob, write_blob
from tests.fresh_settings import forget_settings
from tests.present import present

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def container(storage: None, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"watermarks-{uuid4()}"
    monkeypatch.setenv("WATERMARK_CONTAINER", name)
    forget_settings()
    return name


async def test_there_is_none_at_first():
    assert await watermark.read("nivoda") is None


async def test_it_is_stored_in_the_words_of_the_system_being_replaced(container: str):
    run = uuid4()
    mark = await watermark.advance("nivoda", run, NOON)
    assert await watermark.read("nivoda") == mark
    blob = present(await read_blob(container, "nivoda.json"))
    assert b'"lastUpdatedAt": "2026-01-01T12:00:00Z"' in blob.data
    assert f'"lastRunId": "{run}"'.encode() in blob.data
    assert b'"lastRunCompletedAt"' in blob.data


async def test_it_moves_forward_only():
    first = await watermark.advance("nivoda", uuid4(), NOON)
    assert await watermark.advance("nivoda", uuid4(), NOON - HOUR) == first
    assert await watermark.advance("nivoda", uuid4(), NOON) == first
    later = await watermark.advance("nivoda", uuid4(), NOON + HOUR)
    assert later.last_updated_at == NOON + HOUR
    assert await watermark.read("nivoda") == later


async def test_a_repeat_by_the_same_run_changes_nothing():
    run = uuid4()
    first = await watermark.advance("nivoda", run, NOON)
    assert await watermark.advance("nivoda", run, NOON + HOUR) == first
    assert await watermark.read("nivoda") == first


async def test_feeds_have_their_own():
    await watermark.advance("nivoda", uuid4(), NOON)
    assert await watermark.read("other") is None


async def test_of_many_at_once_the_furthest_stays():
    await asyncio.gather(*(watermark.advance("nivoda", uuid4(), NOON + n * HOUR) for n in range(4)))
    mark = present(await watermark.read("nivoda"))
    assert mark.last_updated_at == NOON + 3 * HOUR


async def test_a_writer_who_always_loses_gives_up_for_now(monkeypatch: pytest.MonkeyPatch):
    async def lose(*_: object, **__: object) -> str:
        raise Conflict("changed")

    monkeypatch.setattr(watermark, "write_blob", lose)
    with pytest.raises(TransientError) as raised:
        await watermark.advance("nivoda", uuid4(), NOON)
    assert raised.value.code == "watermark-contended"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"lastUpdatedAt": "yesterday"}', b"\xff"])
async def test_corrupt_content_is_terminal_and_says_what_to_do(container: str, content: bytes):
    await write_blob(container, "nivoda.json", content, seen=None)
    for attempt in (watermark.read("nivoda"), watermark.advance("nivoda", uuid4(), NOON)):
        with pytest.raises(TerminalError, match="start a full run") as raised:
            await attempt
        assert raised.value.code == "watermark-corrupt"
    assert present(await read_blob(container, "nivoda.json")).data == content
