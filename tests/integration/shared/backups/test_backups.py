"""A backup taken, restored and compared, by its orchestration, on real PostgreSQL and Azurite."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import psycopg
import pytest
from psycopg import conninfo, sql

from activities.backups import backing_up
from orchestrators.backups.backing_up import back_up
from shared.backups import building, chunks, comparing, restoring, taking
from shared.backups.files import list_manifests, read_manifest, read_verdict
from shared.backups.models import TakeAndVerify, TakeBackup
from shared.backups.scratch import scratch
from shared.backups.settings import settings
from shared.platform.errors import TerminalError, TransientError
from shared.platform.settings import forget_settings
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import database, rows
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import PAPERS, execute, fetch
from tests.present import present

CHAIN = "20261101T000000Z"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 32 * 8192)


async def take(number, *, verify=False):
    """The outcome of a backup by its orchestration."""
    task = TakeAndVerify(id=f"20261101T00{number:02}00Z", chain=CHAIN, verify=verify)
    return await Player().play(back_up, task)


async def chunk_blobs():
    container = blob_service().get_container_client(settings().backups_container)
    return {blob.name: blob.size async for blob in container.list_blobs(name_starts_with="chunks/")}


def table(manifest, name):
    [found] = [one for one in manifest.tables if one.full_name == name]
    return found


async def test_a_backup_holds_every_row_and_is_restored_as_it_was(filled):
    outcome = await take(1, verify=True)
    assert outcome.verified is True
    manifest = await read_manifest()
    papers, vectors = table(manifest, "papers.papers"), table(manifest, "papers.vectors_1")
    assert (papers.rows, vectors.rows, vectors.late) == (PAPERS, PAPERS // 2, True)
    assert len(papers.chunks) > 3
    assert outcome.rows == sum(one.rows for one in manifest.tables)
    everywhere = await fetch(
        "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p')"
        " and c.relname <> 'schema_migrations' and c.relpersistence = 'p'"  # the others are counters of a minute
    )
    assert {one.full_name for one in manifest.tables} == {row["name"] for row in everywhere}
    assert {one.schema_name for one in manifest.tables} == {"diamonds", "followups", "papers", "platform"}
    assert present(await read_verdict(manifest.id)).tables == len(manifest.tables)
    async with scratch() as connection:
        left = await rows(connection, "select nspname from pg_namespace where nspname in ('papers', 'restoring')")
    assert left == []


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

    monkeypatch.setattr(taking, "name_of_chunk", name)
    await take(1, verify=True)
    manifest = await read_manifest()
    assert table(manifest, "papers.papers").rows == PAPERS
    assert table(manifest, "papers.unembedded").rows == 0
    assert (await fetch("select count(*) from papers.papers"))[0]["count"] == PAPERS + 1


async def test_time_boxes_go_on_where_the_one_before_stopped_however_short_they_are(filled, monkeypatch):
    clock = iter(range(0, 10_000_000, 2))  # each look at the clock is later than a box is long
    monkeypatch.setattr(taking, "monotonic", clock.__next__)
    monkeypatch.setattr(taking, "LOOK_SECONDS", 10_000)
    monkeypatch.setenv("BACKUPS_BOX_SECONDS", "1")
    forget_settings()
    boxes = []
    while not boxes or not boxes[-1].done:
        assert await list_manifests() == []
        boxes.append(await taking.take(TakeBackup(id="20261101T000100Z", chain=CHAIN)))
        assert len(boxes) < 200
    assert len(boxes) > 5
    assert all(box.new_bytes for box in boxes)
    assert [box.chunks for box in boxes] == sorted({box.chunks for box in boxes})
    assert sum(box.new_bytes for box in boxes) == sum((await chunk_blobs()).values())


async def test_heads_that_cannot_be_looked_at_in_time_are_an_error_that_says_so(filled, monkeypatch):
    monkeypatch.setattr(taking, "LOOK_SECONDS", -1)
    with pytest.raises(TerminalError, match="no backup of one moment can be made") as refused:
        await take(1)
    assert refused.value.code == "backup-too-large"


async def test_the_same_backup_again_changes_nothing(filled):
    await take(1)
    before = await read_manifest()
    await execute("delete from papers.vectors_1")
    await take(1)
    assert await read_manifest() == before


async def test_a_chunk_that_was_changed_is_found_out(filled):
    await take(1)
    [name, *_] = [name for name in await chunk_blobs() if "/papers.papers/" in name]
    blob = blob_service().get_blob_client(settings().backups_container, name)
    data = bytearray(await (await blob.download_blob()).readall())
    data[len(data) // 2] ^= 1
    await blob.upload_blob(bytes(data), overwrite=True, metadata=(await blob.get_blob_properties()).metadata)
    with pytest.raises(TerminalError, match="its checksum is another") as refused:
        await take(2, verify=True)
    assert refused.value.code == "backup-corrupt"
    async with scratch() as connection:
        assert await rows(connection, "select from papers.papers") == []
    [difference] = present(await read_verdict("20261101T000200Z")).differences
    assert "its checksum is another" in difference
    assert await taking.chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == "20261102T000000Z", (
        "nothing stands on it any more"
    )


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

    monkeypatch.setattr(taking, "name_of_chunk", name)
    with pytest.raises(TransientError, match="was written anew or emptied"):
        await taking.take(TakeBackup(id="20261101T000100Z", chain=CHAIN))
    assert await list_manifests() == []
    assert (await taking.take(TakeBackup(id="20261101T000100Z", chain=CHAIN))).done


async def test_a_column_that_is_made_anew_is_written_anew(filled):
    await execute("alter table papers.models add column made real default 1")
    await take(1)
    await execute("alter table papers.models drop column made, add column made real default 2")
    await take(2)
    first, second = await read_manifest("20261101T000100Z"), await read_manifest()
    assert table(first, "papers.models").columns == table(second, "papers.models").columns
    assert table(first, "papers.models").checksum != table(second, "papers.models").checksum


async def test_a_restore_that_lacks_a_row_is_told(filled, mails, monkeypatch):
    real = chunks.import_chunk

    async def lossy(connection, of, chunk):
        await real(connection, of, chunk)
        if of.name == "models":
            await connection.execute("update papers.models set name = 'another'")

    monkeypatch.setattr("shared.backups.restoring.import_chunk", lossy)
    outcome = await take(1, verify=True)
    assert outcome.verified is False
    assert present(await read_verdict("20261101T000100Z")).differences == ["papers.models: other values"]
    [mail] = mails.mails(10)
    assert "papers.models: other values" in mail.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data[:-40], "backup-corrupt"),
        (lambda data: data.replace(b"hashing", b"hashinG"), "backup-corrupt"),
        (lambda data: data.replace(b"rows", b"Rows", 1), "backup-corrupt"),
        (lambda _: b"[]", "backup-corrupt"),
        (lambda _: b"\xff\xfe", "backup-corrupt"),
    ],
)
async def test_a_manifest_that_is_not_as_it_was_written_is_refused(filled, change, code):
    await take(1)
    blob = blob_service().get_blob_client(settings().backups_container, f"manifests/{CHAIN}/20261101T000100Z.json")
    data = await (await blob.download_blob()).readall()
    changed = change(data)
    if changed == data:
        changed = data.replace(b"papers", b"Papers", 1)
    await blob.upload_blob(changed, overwrite=True)
    with pytest.raises(TerminalError) as refused:
        await read_manifest()
    assert refused.value.code == code


async def test_the_scratch_database_is_never_the_app_s_own(filled, migrated, monkeypatch):
    async with database() as connection:
        [own] = await rows(connection, "select current_database() as name")
    monkeypatch.setenv("BACKUPS_SCRATCH_DATABASE", own["name"])
    forget_settings()
    with pytest.raises(TerminalError, match="the app's own") as refused:
        await take(1, verify=True)
    assert refused.value.code == "scratch-is-the-database"
    assert (await fetch("select count(*) from papers.papers"))[0]["count"] == PAPERS


async def test_a_scratch_database_that_is_not_ours_is_left_as_it_is(filled, migrated, mails):
    with psycopg.connect(conninfo.make_conninfo(migrated, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(filled)))
    async with scratch() as connection:
        await connection.execute("create table public.somebody_s (n int)")
    with pytest.raises(TerminalError, match=f"{filled} holds what no verification") as refused:
        await take(1, verify=True)
    assert refused.value.code == "scratch-not-ours"
    # People are told, and the backup is none the worse: the next one is of the same chain.
    [mail] = mails.mails(10)
    assert "could not be verified" in mail.text
    assert await read_verdict("20261101T000100Z") is None
    assert await taking.chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == CHAIN
    async with scratch() as connection:
        assert await rows(connection, "select count(*) from public.somebody_s") == [{"count": 0}]
        await connection.execute("drop table public.somebody_s")
    assert (await take(2, verify=True)).verified is True
    async with scratch() as connection:  # as a verification of another database leaves it when it is killed
        await connection.execute(
            "create schema restoring; create table restoring.scratch_of (database text);"
            " insert into restoring.scratch_of values ('another'); create schema papers"
        )
    with pytest.raises(TerminalError, match="holds what no verification"):
        await take(3, verify=True)


async def test_unset_the_scratch_database_is_named_for_the_app_s(filled, migrated, monkeypatch):
    monkeypatch.setenv("BACKUPS_SCRATCH_DATABASE", "")
    forget_settings()
    own = conninfo.conninfo_to_dict(migrated)["dbname"]
    try:
        assert (await take(1, verify=True)).verified is True
        async with scratch() as connection:
            assert await rows(connection, "select current_database() as name") == [{"name": f"{own}_scratch"}]
    finally:
        with psycopg.connect(conninfo.make_conninfo(migrated, dbname="postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(f"{own}_scratch")))


async def test_rows_that_changed_while_their_versions_did_not_are_found_out(filled, mails, monkeypatch):
    await take(1)
    # As where the disk has changed them, or two clusters were mixed up.
    monkeypatch.setattr(chunks, "_versions", same_versions := AsyncMock(return_value="1:1"))
    await take(2)
    await execute("update papers.models set name = 'another'")
    assert (await take(3, verify=True)).verified is False
    assert same_versions.await_count > 0
    differences = present(await read_verdict("20261101T000300Z")).differences
    assert "papers.models: its rows changed, and their versions did not tell" in differences
    assert "papers.models" in mails.mails(10)[0].text


async def test_verifying_takes_as_many_boxes_as_it_needs_and_no_index_of_vectors(filled, monkeypatch):
    clock = iter(range(0, 100_000_000, 2))
    for module in (backing_up, building, comparing, restoring):
        monkeypatch.setattr(module, "monotonic", clock.__next__)
    monkeypatch.setenv("BACKUPS_BOX_SECONDS", "1")
    forget_settings()
    calls: Counter[str] = Counter()

    class Counting(Player):
        def call_activity(self, name, payload):
            calls[name] += 1
            return super().call_activity(name, payload)

    task = TakeAndVerify(id="20261101T000100Z", chain=CHAIN, verify=True)
    statements = await fetch("select count(*) from pg_constraint where contype = 'f'")
    outcome = await Counting().play(back_up, task)
    assert outcome.verified is True
    manifest = await read_manifest()
    assert calls["load_scratch"] > len(manifest.tables), "a table is loaded in several"
    assert 5 < calls["build_scratch"] <= statements[0]["count"] + 2, "foreign keys alone"
    assert calls["verify_scratch"] > len(manifest.tables)
