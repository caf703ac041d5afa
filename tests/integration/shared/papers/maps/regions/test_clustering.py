"""Regions of a map: they nest, are counted, and have names."""

from shared.papers.maps import versions
from tests.integration.shared.papers.maps.conftest import SUBJECTS, some


async def test_clusters_nest_are_counted_and_named_by_their_terms(maps):
    await maps.add(some(200))
    await maps.make()
    found = await versions.current()
    assert found.levels == 2
    by_id = {one.cluster: one for one in found.clusters}
    for one in found.clusters:
        below = [other.papers for other in found.clusters if other.parent == one.cluster]
        assert one.level == found.levels - 1 or sum(below) == one.papers
        assert (one.number is None) == (one.level < found.levels - 1)
        assert one.parent is None or by_id[one.parent].level == one.level - 1
        assert found.extent.x_min <= one.x <= found.extent.x_max
    assert sum(one.papers for one in found.clusters if one.level == 0) == 200
    words = {word for text in SUBJECTS.values() for word in text.split()}
    assert all(set(one.words[0].split()) <= words for one in found.clusters)
