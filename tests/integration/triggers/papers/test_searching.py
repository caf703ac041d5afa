"""The routes of the search, asked as callers ask them."""

import json
from urllib.parse import urlencode

import azure.functions as func
import pyarrow as pa
import pytest
from azure.functions.http import HttpResponseConverter

from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import papers
from tests.present import present
from triggers.papers.searching import routes

__all__ = ["papers"]
ADMIN = {"X-Admin-Key": "test-admin"}


@pytest.fixture
async def ask(papers, monkeypatch):
    """Asks a route over 12 papers, two of them without a date: the status, the body, the headers as they are sent."""
    monkeypatch.setenv("ADMIN_API_KEY", ADMIN["X-Admin-Key"])
    forget_settings()
    async with database() as connection:
        await connection.execute(
            "insert into papers.papers (source, source_id, title, primary_date, content_hash)"
            " select 'arxiv', n::text, 'Paper ' || n, case when n > 2 then date '2000-01-01' + n end, ''"
            " from generate_series(1, 12) n"
        )

    async def asked(path, **parameters):
        [operation] = [one for one in routes.operations if one.route == path]
        request = func.HttpRequest("GET", f"http://localhost{path}?{urlencode(parameters)}", headers=ADMIN, body=b"")
        sent = present(HttpResponseConverter.encode(await operation.answer(request), expected_type=None)).value
        headers = {name.lower(): value.value for name, value in sent["headers"].items()}
        return int(sent["status_code"].value), sent["body"].value, headers

    return asked


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


@pytest.mark.parametrize("wanted", ["csv", "ris", "bibtex"])
async def test_exports_follow_each_other_and_name_their_charset_once(ask, wanted):
    status, first, headers = await ask("/api/papers/export", format=wanted, limit=7)
    assert status == 200
    assert headers["content-type"].count("charset=utf-8") == 1
    status, second, headers = await ask("/api/papers/export", format=wanted, limit=7, cursor=headers["x-next"])
    assert status == 200
    assert "x-next" not in headers
    assert [(first + second).count(b"Paper %d" % number) for number in (3, 5, 7)] == [1, 1, 1]


async def test_the_field_that_is_refused_is_named(ask):
    for given in ({"fields": "similarity"}, {"similarity_threshold": 0.5}, {"search_text": "x", "limit": 1001}):
        status, body, _ = await ask("/api/papers", **given)
        assert (status, json.loads(body)["errors"][0]["pointer"]) == (400, f"#/{next(reversed(given))}")
