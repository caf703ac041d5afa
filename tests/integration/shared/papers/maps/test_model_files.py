"""The files of a map's model, which may be damaged."""

import pytest

from shared.papers.maps import model_files
from shared.platform.errors import TerminalError
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import some


async def test_a_damaged_model_is_refused_with_its_reason(maps):
    await maps.add(some(60))
    version = await maps.make()
    model_files._loaded.clear()
    name = next(name for name in await maps.papers.names() if f"maps/{version}/positions-" in name)
    await maps.papers.put(name, b"\0" * len(await maps.papers.read(name)))
    await maps.add(some(1, first=900))
    with pytest.raises(TerminalError, match="is damaged"):
        await maps.place()
    assert await fetch("select 1 from papers.unplaced"), "the paper waits"
