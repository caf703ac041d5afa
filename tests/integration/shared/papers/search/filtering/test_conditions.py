"""A filter finds in the database what it means: compared with a model of it in Python."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.papers.search.filtering.conditions import condition_of
from shared.papers.search.filtering.filters import All, AnyOf, Comparison, Not, parse
from shared.platform.stores.postgres import database, rows
from tests.integration.shared.papers.conftest import record

RECORDS = [
    record(1, versions=[{"created": "Wed, 31 Dec 2019 00:00:00 GMT"}], categories="cs.LG"),
    record(2, versions=[{"created": "Wed, 1 Jan 2020 00:00:00 GMT"}], categories="cs.LG stat.ML", doi="10.1000/x"),
    record(3, versions=[{"created": "Thu, 31 Dec 2020 00:00:00 GMT"}], authors_parsed=[["Balázs", "C.", ""]]),
    record(4, versions=[], update_date=None, categories=""),
    record(5, abstract="This paper has been withdrawn", versions=[{"created": "Fri, 1 Jan 2021 00:00:00 GMT"}]),
    record(6, abstract=None),
]

values = {
    "source": ["arxiv", "other"],
    "category": ["cs.LG", "stat.ML", "x"],
    "author": ["balazs", "muller a", "c"],
    "year": [2019, 2020, 2021],
    "date": [date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31)],
    "doi": ["10.1000/x", "10.1000/y"],
    "arxiv_id": ["2101.00001", "2101.00006"],
    "withdrawn": [True, False],
    "has_abstract": [True, False],
}
operators = {"year": ["=", "<", "<=", ">", ">="], "date": ["=", "<", "<=", ">", ">="]}


@st.composite
def comparisons(draw):
    field = draw(st.sampled_from(sorted(values)))
    return Comparison(field, draw(st.sampled_from(operators.get(field, ["="]))), draw(st.sampled_from(values[field])))


trees = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=8,
)


def holds(tree, paper):
    """What the filter means, without SQL."""
    match tree:
        case Not(part):
            return not holds(part, paper)
        case All(parts):
            return all(holds(part, paper) for part in parts)
        case AnyOf(parts):
            return any(holds(part, paper) for part in parts)
        case _:
            return compared(tree, paper)


def compared(tree, paper):
    actual = {
        "category": tree.value in paper["categories"],
        "author": set(str(tree.value).split()) <= set(paper["author_keys"]),
        "has_abstract": (paper["abstract"] is not None) == tree.value,
    }
    if tree.field in actual:
        return actual[tree.field]
    known = {"year": paper["primary_date"] and paper["primary_date"].year, "date": paper["primary_date"]}
    value = known[tree.field] if tree.field in known else paper[tree.field]
    if value is None:
        return False
    compare = {"=": value == tree.value}
    if tree.field in known:
        compare |= {"<": value < tree.value, "<=": value <= tree.value}
        compare |= {">": value > tree.value, ">=": value >= tree.value}
    return compare[tree.operator]


@pytest.fixture
async def filled(papers):
    await papers.ingest(await papers.put("a.jsonl", RECORDS))
    return papers


@given(tree=trees)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_a_filter_finds_what_it_means(filled, tree):
    condition = condition_of(tree)
    async with database() as connection:
        every = await rows(connection, "select * from papers.papers")
        found = await rows(connection, f"select source_id from papers.papers p where {condition.sql}", condition.values)
    assert {row["source_id"] for row in found} == {paper["source_id"] for paper in every if holds(tree, paper)}


@pytest.mark.parametrize("value", [r"a\'b", '"; drop table papers.papers; --', "%s %(v0)s", "{}", "\\\\"])
async def test_values_stay_values(filled, value):
    condition = condition_of(parse(f"source = '{value}'"))
    async with database() as connection:
        assert await rows(connection, f"select 1 from papers.papers p where {condition.sql}", condition.values) == []
        assert await rows(connection, "select count(*) as n from papers.papers") == [{"n": 6}]
