"""A backup that was restored into the scratch database and compared; and which database that may be."""

from collections import Counter
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import psycopg
import pytest
from psycopg import conninfo, sql

from activities.backups import backing_up
from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest, read_verdict
from shared.backups.contents import chunks
from shared.backups.models import TakeAndVerify
from shared.backups.restoring import building, loading
from shared.backups.settings import settings
from shared.backups.taking.chains import chain_for
from shared.backups.verification import comparing
from shared.backups.verification.scratch import scratch
from shared.platform.errors import TerminalError
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import database, rows
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import CHAIN, PAPERS, chunk_blobs, execute, fetch, take
from tests.present import present

pytestmark = pytest.mark.usefixtures("small_chunks")


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
    assert await chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == "20261102T000000Z", "nothing stands on it any more"


async def test_a_restore_that_lacks_a_row_is_told(filled, mails, monkeypatch):
    real = chunks.import_chunk

    async def lossy(connection, of, chunk):
        await real(connection, of, chunk)
        if of.name == "models":
            await connection.execute("update papers.models set name = 'another'")

    monkeypatch.setattr("shared.backups.restoring.loading.import_chunk", lossy)
    outcome = await take(1, verify=True)
    assert outcome.verified is False
    assert present(await read_verdict("20261101T000100Z")).differences == ["papers.models: other values"]
    [mail] = mails.mails(10)
    assert "papers.models: other values" in mail.text


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
    assert await chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == CHAIN
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
    for module in (backing_up, building, comparing, loading):
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
