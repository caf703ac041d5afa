"""What is told of a paper: whether a record says anything new, and by which keys its authors are found."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.papers.sources.paper import Paper

PAPER = Paper(
    source_id="2101.00001",
    title="A title",
    abstract="An abstract",
    authors=("C. Balázs", "Łukasz Ż. Nowak", "C. Balázs"),
    categories=("cs.LG",),
    primary_date=date(2021, 1, 2),
    doi="10.1000/x",
    arxiv_id="2101.00001",
    link="https://example.org/1",
    version_at=datetime(2021, 1, 2, tzinfo=UTC),
    details={"license": "mit", "comments": "12 pages"},
)


def test_authors_are_found_by_each_part_of_their_names_without_accents():
    assert PAPER.author_keys() == ["balazs", "c", "lukasz", "nowak", "z"]


def test_the_order_of_details_changes_nothing():
    same = replace(PAPER, details={"comments": "12 pages", "license": "mit"})
    assert same.details_json() == PAPER.details_json()
    assert same.content_hash() == PAPER.content_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"source_id": "2101.00002"},
        {"title": "A Title"},
        {"abstract": None},
        {"authors": ("C. Balázs",)},
        {"categories": ("cs.LG", "stat.ML")},
        {"primary_date": None},
        {"doi": None},
        {"arxiv_id": None},
        {"link": None},
        {"withdrawn": True},
        {"version_at": None},
        {"details": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_record_says_otherwise_is_new(change):
    assert replace(PAPER, **change).content_hash() != PAPER.content_hash()
