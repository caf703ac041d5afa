"""What a backup takes of a database that others write to, and what it writes of that."""

import asyncio

import pytest

from shared.backups.blobs.manifests import list_names, read_manifest
from shared.backups.contents import chunks
from shared.backups.models import TakeBackup
from shared.backups.taking import exporting
from shared.platform.errors import TerminalError, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.backups.conftest import CHAIN, PAPERS, chunk_blobs, execute, fetch, table, take

pytestmark = pytest.mark.usefixtures("small_chunks")


async def test_a_later_backup_writes_what_changed_and_nothing_else(filled):
    await take(1)
    before = await chunk_blobs()
    assert (await take(2)).new_bytes == 0
    assert await chunk_blobs() == before
    await execute(
        "update papers.papers set title = 'Changed' where source_id = 'id-1'",
        "delete from papers.vectors_1 where paper_id in (select paper_id from papers.vectors_1 limit 1)",
    )
    changed = await take(3, verify=True)
    new = set(await chunk_blobs()) - set(before)
    assert changed.verified is True
    assert {name.split("/")[2] for name in new} == {"papers.papers", "papers.vectors_1"}
    assert 2 <= len(new) <= 3  # the place that the row left, that where it is now, and that of the deleted one
    first, last = await read_manifest("20261101T000100Z"), await read_manifest()
    assert table(first, "papers.papers").checksum != table(last, "papers.papers").checksum
    assert table(last, "papers.vectors_1").rows == PAPERS // 2 - 1


async def test_what_is_written_meanwhile_is_wholly_in_or_wholly_out(filled, monkeypatch):
    real, wrote = chunks.name_of_chunk, asyncio.Event()

    async def name(connection, piece, chain):
        if not wrote.is_set():  # a paper and its vector, after the snapshot and before any chunk of it was read
            wrote.set()
            await execute(
                "with one as (insert into papers.papers (source, source_id, title, content_hash)"
                " values ('arxiv', 'late', 'Late', sha256('late')) returning paper_id)"
                " insert into papers.unembedded (model_id, paper_id) select 1, paper_id from one",
            )
        return await real(connection, piece, chain)

    monkeypatch.setattr(exporting, "name_of_chunk", name)
    await take(1, verify=True)
    manifest = await read_manifest()
    assert table(manifest, "papers.papers").rows == PAPERS
    assert table(manifest, "papers.unembedded").rows == 0
    assert (await fetch("select count(*) from papers.papers"))[0]["count"] == PAPERS + 1


async def test_time_boxes_go_on_where_the_one_before_stopped_however_short_they_are(filled, monkeypatch):
    clock = iter(range(0, 10_000_000, 2))  # each look at the clock is later than a box is long
    monkeypatch.setattr(exporting, "monotonic", clock.__next__)
    monkeypatch.setattr(exporting, "LOOK_SECONDS", 10_000)
    monkeypatch.setenv("BACKUPS_BOX_SECONDS", "1")
    forget_settings()
    boxes = []
    while not boxes or not boxes[-1].done:
        assert await list_names() == []
        boxes.append(await exporting.export(TakeBackup(id="20261101T000100Z", chain=CHAIN)))
        assert len(boxes) < 200
    assert len(boxes) > 5
    assert all(box.new_bytes for box in boxes)
    assert [box.chunks for box in boxes] == sorted({box.chunks for box in boxes})
    assert sum(box.new_bytes for box in boxes) == sum((await chunk_blobs()).values())


async def test_heads_that_cannot_be_looked_at_in_time_are_an_error_that_says_so(filled, monkeypatch):
    monkeypatch.setattr(exporting, "LOOK_SECONDS", -1)
    with pytest.raises(TerminalError, match="no backup of one moment can be made") as refused:
        await take(1)
    assert refused.value.code == "backup-too-large"


async def test_the_same_backup_again_changes_nothing(filled):
    await take(1)
    before = await read_manifest()
    await execute("delete from papers.vectors_1")
    await take(1)
    assert await read_manifest() == before


@pytest.mark.parametrize(
    "statement", ["truncate papers.unembedded", "alter table papers.rejects alter line type numeric"]
)
async def test_a_table_that_is_written_anew_meanwhile_is_not_backed_up_half(filled, monkeypatch, statement):
    real = chunks.name_of_chunk
    wrote: list[str] = []

    async def name(connection, piece, chain):
        if not wrote:
            wrote.append(statement)
            await execute(statement)
        return await real(connection, piece, chain)

    monkeypatch.setattr(exporting, "name_of_chunk", name)
    with pytest.raises(TransientError, match="was written anew or emptied"):
        await exporting.export(TakeBackup(id="20261101T000100Z", chain=CHAIN))
    assert await list_names() == []
    assert (await exporting.export(TakeBackup(id="20261101T000100Z", chain=CHAIN))).done


async def test_a_column_that_is_made_anew_is_written_anew(filled):
    await execute("alter table papers.models add column made real default 1")
    await take(1)
    await execute("alter table papers.models drop column made, add column made real default 2")
    await take(2)
    first, second = await read_manifest("20261101T000100Z"), await read_manifest()
    assert table(first, "papers.models").columns == table(second, "papers.models").columns
    assert table(first, "papers.models").checksum != table(second, "papers.models").checksum


@pytest.mark.parametrize(
    ("hide", "show"),
    [
        ("revoke select on platform.by_hand from current_user", "grant select on platform.by_hand to current_user"),
        ("revoke usage on schema aside from current_user", "grant usage on schema aside to current_user"),
        ("revoke all on sequence aside.by_hand from current_user", "drop sequence aside.by_hand"),
        ("alter table platform.by_hand enable row level security", "drop table platform.by_hand"),
    ],
)
async def test_what_the_app_s_role_may_not_read_is_named(filled, hide, show):
    await execute(
        "create schema aside; create sequence aside.by_hand; create table platform.by_hand (n int);"
        " alter table platform.by_hand force row level security"
    )
    await execute(hide)
    with pytest.raises(TerminalError, match="by_hand: a backup would lack rows") as refused:
        await exporting.export(TakeBackup(id="20261101T000100Z", chain=CHAIN))
    assert refused.value.code == "backup-not-readable"
    await execute(show)
    assert (await exporting.export(TakeBackup(id="20261101T000100Z", chain=CHAIN))).done
