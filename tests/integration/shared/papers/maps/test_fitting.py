"""A map is fitted to as many papers as there are."""

import pytest

from shared.papers.maps import versions
from tests.integration.shared.papers.maps.conftest import some


@pytest.mark.parametrize("count", [1, 2, 7])
async def test_few_papers_have_a_map_too(maps, count):
    await maps.add(some(count))
    await maps.make()
    found = await versions.current()
    assert (found.papers, found.levels) == (count, 1)
