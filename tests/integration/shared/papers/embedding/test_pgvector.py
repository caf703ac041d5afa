"""An extension that may damage an index is refused before anything is embedded."""

import pytest

from shared.papers.embedding import pgvector
from shared.papers.embedding.pgvector import check_pgvector, probe
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database


async def test_the_extension_of_the_embedded_server_is_new_enough(migrated):
    await probe()


@pytest.mark.parametrize(("version", "refused"), [("0.8.4", False), ("0.9", False), ("0.8.3", True), ("0.5.1", True)])
async def test_an_old_one_is_refused_with_what_to_do(migrated, monkeypatch, version, refused):
    async def found(*_):
        return [{"extversion": version}]

    monkeypatch.setattr(pgvector, "rows", found)
    async with database() as connection:
        if not refused:
            await check_pgvector(connection)
            return
        with pytest.raises(TerminalError, match=f"0.8.4 is needed, and {version} is there") as problem:
            await check_pgvector(connection)
    assert "alter extension vector update" in str(problem.value)
