"""Which database a verification may empty."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import conninfo, sql

from shared.backups.blobs.manifests import read_verdict
from shared.backups.taking.chains import chain_for
from shared.backups.verification.scratch import scratch
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database, rows
from tests.fresh_settings import forget_settings
from tests.integration.shared.backups.conftest import CHAIN, PAPERS, fetch, take

pytestmark = pytest.mark.usefixtures("small_chunks")


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
