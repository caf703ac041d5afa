"""OpenAlex: abstracts are inverted, ids are addresses."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.sources.openalex import OPENALEX, abstract_of, from_openalex
from shared.papers.sources.rejected import RecordRejected

WORK = {
    "id": "https://openalex.org/W2741809807",
    "doi": "https://doi.org/10.7717/PeerJ.4375",
    "title": "The state of OA",
    "publication_date": "2018-02-13",
    "updated_date": "2026-01-02T03:04:05.678",
    "type": "article",
    "authorships": [{"author": {"display_name": "Heather Piwowar"}}, {"raw_author_name": "J. Priem"}, {}],
    "abstract_inverted_index": {"deep": [0, 2], "learning": [1]},
    "primary_location": {"landing_page_url": "https://arxiv.org/abs/1801.00001v2"},
    "is_retracted": False,
}


def test_a_work_becomes_a_paper():
    paper = from_openalex(WORK)
    assert (paper.source_id, paper.doi, paper.arxiv_id) == ("W2741809807", "10.7717/peerj.4375", "1801.00001")
    assert paper.abstract == "deep learning deep"
    assert paper.authors == ("Heather Piwowar", "J. Priem")
    assert paper.primary_date == date(2018, 2, 13)
    assert paper.version_at is not None


def test_of_a_work_no_other_field_is_looked_at():
    seen = {name for name in (*WORK, "cited_by_count") if name in OPENALEX.columns}
    assert seen == set(WORK)


def test_an_arxiv_doi_tells_the_arxiv_id():
    assert (
        from_openalex({**WORK, "doi": "10.48550/arXiv.2101.00001", "primary_location": None}).arxiv_id == "2101.00001"
    )


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=40))
def test_an_inverted_abstract_is_put_together_again(words):
    inverted: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        inverted.setdefault(word, []).append(place)
    assert abstract_of(inverted) == " ".join(words)


@pytest.mark.parametrize("inverted", [["a"], {"a": [-1]}, {"a": [True]}, {"a": ["0"]}, {"a": [20_000]}, "{"])
def test_what_is_no_inverted_abstract_is_rejected(inverted):
    with pytest.raises(RecordRejected, match="abstract"):
        abstract_of(inverted)


def test_no_abstract_is_none():
    assert abstract_of(None) is None
    assert abstract_of({}) is None
