"""Files in the inbox are taken in once, whether an event, the minute timer or a person says so, in any order."""

from datetime import UTC, datetime

import pytest

from orchestrators.papers.ingesting import paper_ingest
from shared.papers.ingesting import inbox, ingests
from shared.papers.settings import settings
from shared.papers.sources.table import ColumnMapping
from shared.platform.errors import InvalidInput
from shared.platform.messaging.event_grid import GridEvent
from shared.platform.stores.blobs import blob_service
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import record
from tests.present import present

MAPPING = ColumnMapping(source_id="key", title="name")
TABLE = b"key,name\n1,One\n2,Two\n"


def created(blob, kind=inbox.BLOB_CREATED, container=None):
    subject = f"/blobServices/default/containers/{container or settings().papers_container}/blobs/{blob}"
    return GridEvent(id="e", eventType=kind, eventTime=datetime.now(UTC), subject=subject, data={})


async def delete(papers, blob):
    await blob_service().get_blob_client(papers.container, blob).delete_blob()


async def everything():
    return await ingests.newest(100, None)


@pytest.mark.parametrize("blob", ["inbox/arxiv/a.jsonl", "inbox/arxiv/deep/er b ü.jsonl", "inbox/a.jsonl"])
async def test_an_event_of_a_file_in_the_inbox_names_it(papers, blob):
    assert inbox.dropped_file(created(blob)) == blob


async def test_other_events_name_nothing(papers):
    for event in (
        created("maps/1/points.bin"),
        created("inbox/"),
        created("x/inbox/arxiv/a.jsonl"),
        created("inbox/arxiv/a.jsonl", container="another"),
        created("inbox/arxiv/a.jsonl", kind="Microsoft.Storage.BlobDeleted"),
        GridEvent(id="e", eventType=inbox.BLOB_CREATED, eventTime=datetime.now(UTC), data={}),
    ):
        assert inbox.dropped_file(event) is None


async def test_an_event_that_comes_twice_or_beside_the_minute_timer_makes_one_ingest(papers):
    blob = await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    first = present(await inbox.accept_dropped(blob))
    assert await inbox.accept_dropped(blob) == first  # its first delivery may have died before it started it
    await inbox.accept_new()
    assert [one.ingest_id for one in await everything()] == [first.ingest_id]
    assert (await papers.ingest(blob)).added == 1


async def test_an_event_of_what_was_taken_in_asks_for_nothing(papers):
    blob = await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    done = await papers.ingest(blob)
    assert await inbox.accept_dropped(blob) is None
    assert [one.state for one in await everything()] == [done.state]


async def test_an_event_of_a_deleted_file_asks_for_nothing(papers):
    blob = await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    await delete(papers, blob)
    assert await inbox.accept_dropped(blob) is None
    assert await everything() == []


async def test_an_event_that_comes_after_the_next_version_finds_that_one(papers):
    blob = await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    await papers.put(blob, [record(1), record(2)])
    await inbox.accept_dropped(blob)
    assert (await papers.ingest(blob)).added == 2
    assert await inbox.accept_dropped(blob) is None
    assert len(await everything()) == 1


async def test_a_source_of_ones_own_is_read_by_the_mapping_of_its_file_before(papers):
    blob = await papers.put("inbox/mine/a.csv", TABLE)
    assert await inbox.accept_dropped(blob) is None  # whoever sent it may be about to say how it is read
    assert (await papers.ingest(blob, "mine", MAPPING)).added == 2
    another = await papers.put("inbox/mine/b.csv", TABLE + b"3,Three\n")
    dropped = present(await inbox.accept_dropped(another))
    assert (await papers.ingest(another, "mine")).added == 1  # without a mapping, and the same ingest
    [newest, _] = await everything()
    assert newest.ingest_id == dropped.ingest_id
    await papers.put("inbox/mine/c.csv", TABLE + b"4,Four\n")
    await inbox.accept_new()
    [waiting] = await inbox.unfinished()
    assert (await ingests.find(waiting.ingest_id)).blob == "inbox/mine/c.csv"


async def test_a_source_that_nobody_described_is_refused_with_what_to_send(papers):
    blob = await papers.put("inbox/theirs/a.csv", TABLE)
    with pytest.raises(InvalidInput, match="no mapping says how to read it"):
        await papers.start(blob, "theirs")


async def test_what_lies_in_the_inbox_is_found_once(papers):
    await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    await papers.put("elsewhere.jsonl", [record(2)])
    assert await inbox.anything_new()
    await inbox.accept_new()
    assert not await inbox.anything_new()
    await inbox.accept_new()
    [found] = await inbox.unfinished()
    waiting = await ingests.find(found.ingest_id)
    assert (waiting.blob, waiting.source, waiting.state) == ("inbox/arxiv/a.jsonl", "arxiv", "waiting")
    await Player().play(paper_ingest, found)
    await papers.put("inbox/arxiv/a.jsonl", [record(1), record(2)])
    assert await inbox.anything_new()
    await inbox.accept_new()
    [newer] = await inbox.unfinished()
    assert newer.ingest_id != found.ingest_id


async def test_a_source_that_is_known_takes_no_mapping(papers):
    name = await papers.put("a.jsonl", [record(1)])
    with pytest.raises(InvalidInput, match="its own adapter") as refused:
        await papers.start(name, "arxiv", ColumnMapping(source_id="id", title="title"))
    assert refused.value.field == "mapping"
