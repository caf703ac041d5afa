"""Papers that are asked for by their DOI or arXiv id."""

import pytest

from shared.papers.search.models import Question
from tests.integration.shared.papers.search.conftest import DIPHOTON, search, titles


@pytest.mark.parametrize(
    "written",
    [
        "0704.0001",
        "arXiv:0704.0001v2 [hep-ph]",
        "https://doi.org/10.1103/PhysRevD.76.013009",
        "https://doi.org/10.48550/arXiv.0704.0001",
    ],
)
async def test_a_paper_is_found_by_its_name(library, written):
    found = await search(Question(written=written))
    assert titles(found) == [DIPHOTON]
    assert found.plan == ["identifier"]
    assert titles(await search(Question(written=written, sort="newest"))) == [DIPHOTON]


async def test_a_paper_is_found_by_the_doi_that_arxiv_gives(library):
    assert titles(await search(Question(filters="doi = 10.48550/arXiv.0704.0001"))) == [DIPHOTON]


async def test_a_name_that_no_paper_has_is_said_to_be(library):
    for sort in ("relevance", "newest"):
        found = await search(Question(written="10.1000/unknown", sort=sort))
        assert found.warnings[:1] == [
            "No paper that the filters let through has the DOI 10.1000/unknown: it was searched as words."
        ]
