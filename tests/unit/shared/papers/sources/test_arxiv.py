"""arXiv's two shapes, read from real records."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared.papers.sources import adapter
from shared.papers.sources.arxiv import from_listing, from_snapshot
from shared.papers.sources.rejected import RecordRejected

PAPERS = Path(__file__).parents[5] / "examples/papers"


@pytest.fixture(scope="module")
def snapshot():
    lines = (PAPERS / "arxiv-snapshot.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def listing():
    data = gzip.decompress((PAPERS / "arxiv-listing.jsonl.gz").read_bytes())
    return [json.loads(line) for line in data.splitlines()]


def test_a_line_of_the_snapshot_becomes_a_paper(snapshot):
    paper = from_snapshot(snapshot[0])
    assert paper.source_id == paper.arxiv_id == "0704.0001"
    assert paper.title == ("Calculation of prompt diphoton production cross sections at Tevatron and LHC energies")
    assert paper.authors == ("C. Balázs", "E. L. Berger", "P. M. Nadolsky", "C. -P. Yuan")
    assert paper.author_keys() == ["balazs", "berger", "c", "e", "l", "m", "nadolsky", "p", "yuan"]
    assert paper.primary_date == date(2007, 4, 2)
    assert paper.version_at == datetime(2008, 11, 26, tzinfo=UTC)
    assert paper.doi == "10.1103/physrevd.76.013009"
    assert paper.link == "https://arxiv.org/abs/0704.0001"


def test_white_space_is_folded_and_categories_are_parted(snapshot):
    assert sum("\n" in record["title"] for record in snapshot) == 68
    assert sum(" " in record["categories"] for record in snapshot) == 78
    papers = [from_snapshot(record) for record in snapshot]
    texts = [text for paper in papers for text in (paper.title, paper.abstract or "", *paper.authors)]
    assert all(text == " ".join(text.split()) for text in texts)
    assert not any(" " in category for paper in papers for category in paper.categories)
    assert sum(len(paper.categories) > 1 for paper in papers) == 78


def test_the_one_paper_that_was_withdrawn_is_marked(snapshot):
    assert [paper.withdrawn for paper in map(from_snapshot, snapshot)].count(True) == 1


def test_entries_of_a_listing_are_known_by_title_and_first_author(listing):
    papers = [from_listing(record) for record in listing]
    assert len({paper.source_id for paper in papers}) == 1000
    assert {paper.primary_date for paper in papers} == {None}
    assert max(len(paper.authors) for paper in papers) > 400
    again = dict(listing[0], title=listing[0]["title"].upper().replace(" ", "  "))
    assert from_listing(again).source_id == papers[0].source_id


def test_the_same_record_has_the_same_hash_whatever_the_order_of_its_keys(snapshot):
    for record in snapshot[:20]:
        assert from_snapshot(record).content_hash() == from_snapshot(dict(reversed(record.items()))).content_hash()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "no id"),
        ({"title": None}, "no title"),
        ({"title": " \n "}, "no title"),
        ({"title": ["x"]}, "its title is no text, but a list"),
        ({"abstract": 7.5}, "its abstract is no text, but a number"),
        ({"title": "x" * 2001}, "more than 2,000"),
        ({"abstract": "x" * 50_001}, "more than 50,000"),
        ({"update_date": "yesterday"}, "its update_date 'yesterday' is no date"),
        ({"versions": [{"created": "yesterday"}]}, "no date"),
        ({"id": "x" * 301}, "more than 300"),
    ],
)
def test_a_record_without_what_it_needs_is_rejected_with_the_reason(snapshot, change, reason):
    with pytest.raises(RecordRejected, match=reason):
        adapter("arxiv", None).paper({**snapshot[0], **change})


def test_of_a_record_no_other_column_is_looked_at(snapshot, listing):
    for source, records in (("arxiv", snapshot), ("arxiv-listing", listing)):
        read = adapter(source, None)
        for record in records:
            part = {name: value for name, value in record.items() if name in read.columns}
            assert read.paper(part) == read.paper(record)


@pytest.mark.parametrize("change", [{"authors_parsed": 7}, {"versions": {}}, {"categories": None}, {"doi": 5}])
def test_what_is_of_another_type_and_not_needed_is_left_out(snapshot, change):
    assert from_snapshot({**snapshot[0], **change}).title
