"""The routes that a map is drawn from: files that may be kept, points, selections."""

import json
from uuid import UUID

import pytest

from shared.papers.browsing.points import MOST_POINTS
from tests.integration.shared.papers.maps.conftest import some

POINTS, PAPERS = "/api/papers/map/{version}/points", "/api/papers/map/{version}/papers"


@pytest.fixture
async def version(maps):
    """A map of 60 papers."""
    await maps.add(some(60))
    return await maps.make()


async def test_a_file_is_kept_for_ever_under_its_checksum_alone(version, call):
    _, body, _ = await call("GET", "/api/papers/map")
    checksum = json.loads(body)["points"]["sha256"][:16]
    status, data, headers = await call("GET", POINTS, version=version, sha256=checksum)
    assert (status, len(data)) == (200, 64 + 60 * 7)
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    status, _, headers = await call("GET", POINTS, version=version)
    assert (status, headers["cache-control"]) == (200, "no-cache")
    status, data, headers = await call("GET", POINTS, version=version, headers={"If-None-Match": headers["etag"]})
    assert (status, data) == (304, b"")
    for strange in [{"version": version, "sha256": "0" * 16}, {"version": version + 1}]:
        status, body, _ = await call("GET", POINTS, **strange)
        problem = json.loads(body)
        assert (status, problem["code"]) == (404, "unknown-map")
        assert problem["remedy"] == "GET /api/papers/map names the current one."


async def test_papers_of_points_come_in_their_order_up_to_a_limit(version, call):
    status, body, _ = await call("GET", PAPERS, version=version, points="5,3,59,9999", fields="doctrove_title")
    found = json.loads(body)["papers"]
    assert (status, [paper["point"] for paper in found]) == (200, [5, 3, 59])
    assert all(set(paper) == {"point", "doctrove_title"} for paper in found)
    for count, expected in [(MOST_POINTS, 200), (MOST_POINTS + 1, 400)]:
        status, _, _ = await call("GET", PAPERS, version=version, points=",".join(map(str, range(count))))
        assert status == expected
        ids = ",".join(str(UUID(int=number)) for number in range(count))
        status, _, _ = await call("GET", "/api/papers/map/{version}/places", version=version, papers=ids)
        assert status == expected


@pytest.mark.parametrize(
    ("file_format", "name", "media_type"),
    [
        ("parquet", "selection.parquet", "application/vnd.apache.parquet"),
        ("bibtex", "selection.bib", "application/x-bibtex; charset=utf-8"),
    ],
)
async def test_a_selection_is_saved_as_a_file_and_kept_nowhere(version, call, file_format, name, media_type):
    status, data, headers = await call(
        "POST", "/api/papers/map/{version}/export", version=version, body={"points": [1, 2], "format": file_format}
    )
    assert (status, headers["content-type"]) == (200, media_type)
    assert headers["content-disposition"] == f'attachment; filename="{name}"'
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert data.startswith(b"PAR1") if file_format == "parquet" else data.count(b"@misc") == 2
