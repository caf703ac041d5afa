"""An app serves while the vectors still come back."""

from unittest.mock import Mock

import pytest
from psycopg import conninfo

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest
from shared.backups.contents import chunks
from shared.backups.models import TakeAndVerify
from shared.backups.restoring import loading, restoration
from shared.platform.stores.postgres import close_pools, connection_to
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import PAPERS, of


async def test_what_the_app_writes_while_vectors_come_back_stays(filled, migrated, empty, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 8 * 8_192)
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    monkeypatch.setattr("shared.backups.restoring.restoration.say", said := Mock())
    real, begun = loading.load, []

    async def serving(connection, manifest, name, **given):
        if name == "papers.vectors_1" and not begun:  # as an app does that was started when it could serve
            begun.append(name)
            async with connection_to(empty) as app:
                await app.execute(
                    "insert into papers.papers (source, source_id, title, content_hash)"
                    " values ('arxiv', 'new', 'New', sha256('new'));"
                    " insert into papers.vectors_1 select paper_id, array[8,7,6,5,4,3,2,1]::real[]::halfvec(8), false"
                    " from papers.papers where source_id in ('id-1', 'id-2', 'new');"
                    " delete from papers.papers where source_id in ('id-3', 'id-4', 'id-5', 'id-6');"
                    " select papers.index_vectors(1::smallint, '64MB');"
                    " insert into papers.papers (source, source_id, title, abstract, content_hash) select 'arxiv',"
                    " 'more-' || n, 'More', repeat('words ', 200), sha256(n::text::bytea)"
                    " from generate_series(1, 5000) n"
                )
            raise ConnectionResetError
        return await real(connection, manifest, name, **given)

    monkeypatch.setattr("shared.backups.restoring.restoration.load", serving)
    with_vector = await of(
        conninfo.conninfo_to_dict(migrated)["dbname"],
        "select source_id from papers.papers join papers.vectors_1 using (paper_id)"
        " where source_id = any('{id-1,id-2,id-3,id-4,id-5,id-6}')",
    )
    monkeypatch.setenv("POSTGRES_DSN", conninfo.make_conninfo(migrated, dbname=empty))
    forget_settings()
    await close_pools()
    try:
        with pytest.raises(ConnectionResetError):
            await restoration.restore(backup)
        assert await restoration.restore(backup) is True, said.mock_calls
    finally:
        await close_pools()
    assert begun
    found = await of(
        empty,
        "select embedding::text = '[8,7,6,5,4,3,2,1]' as by_app, count(*) from papers.vectors_1 group by 1 order by 1",
    )
    lost = {one["source_id"] for one in with_vector}
    assert len(lost) > 2
    assert found == [{"by_app": False, "count": PAPERS // 2 - len(lost)}, {"by_app": True, "count": 3}]
    assert await of(empty, "select from pg_constraint where contype = 'f' and not convalidated") == []
    assert any("papers.vectors_1: the app has" in str(call) for call in said.mock_calls)
