"""The routes of the search, asked as callers ask them."""

import json
from functools import partial

import pyarrow as pa
import pytest

from shared.platform.stores.postgres import database


@pytest.fixture
async def ask(call):
    """Asks a route over 12 papers, two of them without a date."""
    async with database() as connection:
        await connection.execute(
            "insert into papers.papers (source, source_id, title, primary_date, content_hash)"
            " select 'arxiv', n::text, 'Paper ' || n, case when n > 2 then date '2000-01-01' + n end, ''"
            " from generate_series(1, 12) n"
        )
    return partial(call, "GET")


async def test_the_pages_of_an_arrow_answer_follow_each_other_and_have_one_schema(ask):
    tables, cursor = [], {}
    while cursor is not None:
        status, body, headers = await ask("/api/papers/arrow", limit=5, **cursor)
        assert status == 200, body
        tables.append(pa.ipc.open_stream(body).read_all())
        cursor = {"cursor": headers["x-next"]} if "x-next" in headers else None
    assert len({row["doctrove_source_id"] for row in pa.concat_tables(tables).to_pylist()}) == 12


async def test_an_arrow_answer_says_in_its_headers_what_json_has_beside_the_papers(ask):
    status, _, headers = await ask("/api/papers/arrow", search_text="10.1000/ünknown")
    assert status == 200
    assert (headers["x-total-count"], headers["x-total-count-estimated"]) == ("12", "false")
    assert headers["x-plan"] == "words"
    assert "10.1000/ünknown" in json.loads(headers["x-warnings"])[0]


@pytest.mark.parametrize("file_format", ["csv", "ris", "bibtex"])
async def test_exports_follow_each_other_and_name_their_charset_once(ask, file_format):
    status, first, headers = await ask("/api/papers/export", format=file_format, limit=7)
    assert status == 200
    assert headers["content-type"].count("charset=utf-8") == 1
    status, second, headers = await ask("/api/papers/export", format=file_format, limit=7, cursor=headers["x-next"])
    assert status == 200
    assert "x-next" not in headers
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert headers["content-disposition"].startswith('attachment; filename="papers.')
    assert [(first + second).count(b"Paper %d" % number) for number in (3, 5, 7)] == [1, 1, 1]


async def test_the_field_that_is_refused_is_named(ask):
    for given in ({"fields": "similarity"}, {"similarity_threshold": 0.5}, {"search_text": "x", "limit": 1001}):
        status, body, _ = await ask("/api/papers", **given)
        assert (status, json.loads(body)["errors"][0]["pointer"]) == (400, f"#/{next(reversed(given))}")
