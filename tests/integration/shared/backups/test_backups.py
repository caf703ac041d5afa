"""A backup taken, restored and compared, by its orchestration, on real PostgreSQL and Azurite."""

import pytest

from shared.backups.blobs.manifests import read_manifest, read_verdict
from shared.backups.verification.scratch import scratch
from shared.platform.stores.postgres import rows
from tests.integration.shared.backups.conftest import PAPERS, fetch, table, take
from tests.present import present

pytestmark = pytest.mark.usefixtures("small_chunks")


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
