"""A filter finds in the database what it means: compared with a model of it in Python."""

import operator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.papers.search.filtering.conditions import condition_of
from shared.papers.search.filtering.filters import All, AnyOf, Comparison, Not, parse
from shared.papers.sources.text import name_key
from shared.platform.stores.migrate import migrate, read, undo
from shared.platform.stores.postgres import database, rows
from tests.integration.shared.papers.conftest import record

RECORDS = [
    record(1, versions=[{"created": "Wed, 31 Dec 2019 00:00:00 GMT"}], categories="cs.LG"),
    record(2, versions=[{"created": "Wed, 1 Jan 2020 00:00:00 GMT"}], categories="cs.LG stat.ML", doi="10.1000/x"),
    record(
        3,
        versions=[{"created": "Thu, 31 Dec 2020 00:00:00 GMT"}],
        authors_parsed=[["Balázs", "C.", ""], ["Łuczak", "Jane", ""]],
    ),
    record(4, versions=[], update_date=None, categories=""),
    record(5, abstract="This paper has been withdrawn", versions=[{"created": "Fri, 1 Jan 2021 00:00:00 GMT"}]),
    record(6, abstract=None, authors_parsed=[["Smith", "Jane", ""], ["Doe", "John", ""], ["Luczak", "C. J.", ""]]),
]

values = {
    "source": ["arxiv", "other"],
    "category": ["cs.LG", "stat.ML", "x"],
    "author": [
        "balazs",
        "muller a",
        "c",
        "c balazs",
        "jane doe",
        "jane smith",
        "luczak jane",
        "luczak c",
        "balazs jane",
    ],
    "year": [2019, 2020, 2021],
    "date": [date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31)],
    "doi": ["10.1000/x", "10.1000/y"],
    "arxiv_id": ["2101.00001", "2101.00006"],
    "withdrawn": [True, False],
    "has_abstract": [True, False],
}
COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
operators = {"year": list(COMPARE), "date": list(COMPARE)}


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
    """What the filter means, without SQL; None: of a paper without a date it is not known."""
    match tree:
        case Not(part):
            inner = holds(part, paper)
            return None if inner is None else not inner
        case All(parts):
            known = [holds(part, paper) for part in parts]
            return False if False in known else None if None in known else True
        case AnyOf(parts):
            known = [holds(part, paper) for part in parts]
            return True if True in known else None if None in known else False
        case _:
            return compared(tree, paper)


def compared(tree, paper):
    actual = {
        "category": tree.value in paper["categories"],
        "author": any(set(str(tree.value).split()) <= set(name_key(name).split()) for name in paper["authors"]),
        "has_abstract": (paper["abstract"] is not None) == tree.value,
    }
    if tree.field in actual:
        return actual[tree.field]
    day = paper["primary_date"]
    if tree.field in ("year", "date"):
        if day is None:
            return None
        return COMPARE[tree.operator](day.year if tree.field == "year" else day, tree.value)
    return paper[tree.field] == tree.value


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


@pytest.mark.parametrize(("field", "day"), [("year", ""), ("date", "-01-01")])
@pytest.mark.parametrize(
    "written",
    ["{} = 2021!", "{} <> 2021!", "not {} = 2021!", "not ({} < 2021! or {} > 2021!)", "not {} between 0004! and 0005!"],
)
async def test_a_paper_without_a_date_is_out_of_every_filter_of_dates(filled, field, day, written):
    condition = condition_of(parse(written.replace("{}", field).replace("!", day).replace("<>", "!=")))
    async with database() as connection:
        found = await rows(connection, f"select source_id from papers.papers p where {condition.sql}", condition.values)
    assert found
    assert "2101.00004" not in [row["source_id"] for row in found]


NAMES = st.text(st.sampled_from("aZé'-. ŁøßİıǅŒþἈΣςЙё王ｗ²ﬁĸ\u0301\u0308,"), min_size=1, max_size=12)


@given(name=NAMES)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_names_are_folded_in_the_database_as_they_are_here(filled, name):
    async with database() as connection:
        [row] = await rows(connection, "select papers.name_key(%s) as name", (name,))
    assert row["name"].split() == name_key(name).split()


@pytest.mark.parametrize(
    ("author", "found"),
    [("Jane Doe", []), ("Doe, J.", []), ("John Doe", [6]), ("Luczak", [3, 6]), ("Jane Łuczak", [3]), ("J Luczak", [6])],
)
async def test_all_parts_of_a_name_are_those_of_one_author(filled, author, found):
    condition = condition_of(parse(f'author = "{author}"'))
    async with database() as connection:
        who = await rows(connection, f"select source_id from papers.papers p where {condition.sql}", condition.values)
    assert sorted(row["source_id"] for row in who) == [f"2101.{number:05}" for number in found]


async def test_papers_of_before_are_found_by_the_names_of_today(filled):
    await undo(read(), "0077-one-authors-name")
    async with database() as connection:
        await connection.execute(
            "update papers.papers set author_keys = '{łuczak}', arxiv_id = 'math.GT/0309136'"
            " where source_id = '2101.00003'"
        )
    await migrate(read())
    condition = condition_of(parse("author = 'Jane Luczak' and author = balazs and arxiv_id = math/0309136"))
    async with database() as connection:
        found = await rows(connection, f"select source_id from papers.papers p where {condition.sql}", condition.values)
    assert found == [{"source_id": "2101.00003"}]


@pytest.mark.parametrize("value", [r"a\'b", '"; drop table papers.papers; --', "%s %(v0)s", "{}", "\\\\"])
async def test_values_stay_values(filled, value):
    condition = condition_of(parse(f"source = '{value}'"))
    async with database() as connection:
        assert await rows(connection, f"select 1 from papers.papers p where {condition.sql}", condition.values) == []
        assert await rows(connection, "select count(*) as n from papers.papers") == [{"n": 6}]
