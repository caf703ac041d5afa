"""One paper with all that is known of it."""

from uuid import UUID

import pytest

from shared.papers.search import figures
from shared.papers.search import papers as one_paper
from shared.papers.search.models import Question
from shared.platform.errors import NotFound
from tests.integration.shared.papers.conftest import record
from tests.integration.shared.papers.search.conftest import search


async def test_a_paper_shows_the_same_work_in_other_sources(papers):
    await papers.ingest(await papers.put("a.jsonl", [record(1, doi="10.1000/x"), record(2)]))
    works = [
        {"id": "https://openalex.org/W1", "title": "One", "doi": "https://doi.org/10.1000/X", "publication_year": 2021},
        {
            "id": "https://openalex.org/W2",
            "title": "Two",
            "primary_location": {"landing_page_url": "https://arxiv.org/abs/2101.00002v1"},
        },
    ]
    await papers.ingest(await papers.put("b.jsonl", works), "openalex")
    for number, work in ((1, "W1"), (2, "W2")):
        [paper] = (await search(Question(filters=f"source = arxiv and arxiv_id = 2101.{number:05}"))).results
        detail = await one_paper.read(UUID(paper["doctrove_paper_id"]))
        assert [same.doctrove_source_id for same in detail.same_work] == [work]
    with pytest.raises(NotFound):
        await one_paper.read(UUID(int=5))
    by_source = {one.source: one.papers for one in await figures.by_source()}
    assert by_source == {"arxiv": 2, "openalex": 2}
