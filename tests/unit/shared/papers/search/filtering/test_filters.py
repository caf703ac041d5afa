"""Whatever is written as a filter becomes a tree of typed comparisons, or an answer that says why not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.search.filtering.conditions import condition_of
from shared.papers.search.filtering.filters import All, AnyOf, Comparison, Not, parse
from shared.platform.errors import InvalidInput


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("year >= 2020", Comparison("year", ">=", 2020)),
        ("SOURCE = arxiv", Comparison("source", "=", "arxiv")),
        ("category != cs.LG", Not(Comparison("category", "=", "cs.LG"))),
        ("author = 'Balázs, C.'", Comparison("author", "=", "balazs c")),
        (r'source = "a \"quoted\" \\ name"', Comparison("source", "=", 'a "quoted" \\ name')),
        (
            "date between 2020-01-01 and 2021-01-01",
            All((Comparison("date", ">=", date(2020, 1, 1)), Comparison("date", "<=", date(2021, 1, 1)))),
        ),
        (
            "category in (cs.LG, stat.ML)",
            AnyOf((Comparison("category", "=", "cs.LG"), Comparison("category", "=", "stat.ML"))),
        ),
        (
            "not withdrawn = true or year < 2020 and has_abstract = false",
            AnyOf(
                (
                    Not(Comparison("withdrawn", "=", True)),
                    All((Comparison("year", "<", 2020), Comparison("has_abstract", "=", False))),
                )
            ),
        ),
        ("doi = https://doi.org/10.1000/X", Comparison("doi", "=", "10.1000/x")),
        (
            "doi != 10.48550/arXiv.2101.00001",
            Not(
                AnyOf((Comparison("doi", "=", "10.48550/arxiv.2101.00001"), Comparison("arxiv_id", "=", "2101.00001")))
            ),
        ),
        ("arxiv_id = arXiv:2101.00001v2", Comparison("arxiv_id", "=", "2101.00001")),
    ],
)
def test_what_people_write_is_understood(written, tree):
    assert parse(written) == tree


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "cannot be read"),
        ("year", "cannot be read"),
        ("year >= ", "cannot be read"),
        ("title = x", "There is no field 'title'"),
        ("year = soon", "a year is needed"),
        ("year = 0", "a year is needed"),
        ("date = 2020-02-30", "no date"),
        ("date <= 2007-04", "a day is needed, such as 2020-01-31; whole years are compared by year"),
        ("date between 2020-01-01 and 2021", "a day is needed"),
        ("author < b", "cannot be compared with <"),
        ("author = '...'", "a part of a name"),
        ("doi = 5", "a DOI is needed"),
        ("withdrawn = 1", "true or false"),
        ("source = arxiv; drop table papers.papers", "cannot be read from character"),
        ("source = 'arxiv' or 1=1", "cannot be read|no field"),
        ("(" * 21 + "year=2020" + ")" * 21, "nested more than 20 deep"),
        ("not " * 21 + "year=2020", "nested more than 20 deep"),
        ("x" * 2001, "more than 2,000 characters"),
        ("category in (" + ",".join(["a"] * 201) + ")", "more than 200 values"),
    ],
)
def test_what_cannot_be_understood_is_said_to_be(written, reason):
    with pytest.raises(InvalidInput, match=reason) as refused:
        parse(written)
    assert refused.value.field == "filters"


@pytest.mark.parametrize(
    "written",
    [
        " or ".join(["author = nottingham"] * 21),
        " and ".join(["not category = x"] * 21),
        "source = '" + "(" * 21 + "'",
        "source in (" + ", ".join(["notabene"] * 21) + ")",
        "(year = 1) or " * 50 + "(year = 1)",
        "(" * 20 + "year = 2020" + ")" * 20,
    ],
)
def test_what_is_flat_is_not_taken_for_deep(written):
    parse(written)


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "year",
                    "=",
                    "2020",
                    "(",
                    ")",
                    "and",
                    "or",
                    "not",
                    "in",
                    "'",
                    '"',
                    "source",
                    "author",
                    '"x y"',
                    "x",
                    ">=",
                    "\\",
                    "%s",
                    "between",
                    ",",
                ]
            ),
            max_size=25,
        ).map(" ".join),
    )
)
def test_nothing_that_is_written_does_more_than_be_refused(written):
    try:
        tree = parse(written)
    except InvalidInput:
        return
    condition = condition_of(tree)
    assert set(condition.sql) <= set("abcdefghijklmnopqrstuvwxyz_vC0123456789.%() =<>@:[]',\"")
    assert condition.sql % dict.fromkeys(condition.values, "?")
