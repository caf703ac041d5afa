"""Diamonds as CSV: all of them once, and nothing in it that a spreadsheet would run."""

import csv
import json
from io import StringIO
from typing import Any

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

from shared.diamonds.offer.search import Export, export, write_csv
from tests.present import present
from triggers.diamonds.offer import EXPORT, routes

(OPERATION,) = [one for one in routes.operations if one.route == EXPORT]


async def fetch(url, headers):
    request = func.HttpRequest("GET", f"http://localhost{url}", headers=headers, body=b"")
    sent: Any = present(HttpResponseConverter.encode(await OPERATION.answer(request), expected_type=None)).value
    given = {name.title(): value.value for name, value in sent["headers"].items()}
    return int(sent["status_code"].value), sent["body"].value.decode(), given


async def test_every_diamond_comes_once_part_by_part(shop, client, monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 3)
    wanted = {await shop.offer(price_model_price=n, measurements=json.dumps({"length": 6.5})) for n in range(1, 18)}
    url, texts = f"{EXPORT}?limit=7&sort_by=price_model_price&sort_order=asc&lab_grown=false", []
    while url:
        status, text, headers = await fetch(url, client)
        assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        texts.append(text)
        url = headers["Link"].removeprefix("<").split(">;")[0] if "Link" in headers else None
    assert len(texts) == 3
    rows = list(csv.DictReader(StringIO("".join(texts))))
    assert [int(row["id"]) for row in rows] == sorted(wanted)
    assert (rows[0]["length"], rows[0]["width"], rows[0]["lab_grown"]) == ("6.5", "", "false")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "|cmd", "\uff1d1+1", '=HYPERLINK("http://x","y")'],
)
async def test_what_a_spreadsheet_would_run_becomes_a_text(shop, text):
    await shop.offer(supplier_name=text)
    written, _ = await write_csv(Export())
    (row,) = csv.DictReader(StringIO(written, newline=""))
    assert row["supplier_name"] == f"'{text}"


async def test_quotes_commas_and_lines_stay_in_their_cell(shop):
    name = 'A "B", C\nD;E \u2192 \U0001f48e'
    await shop.offer(supplier_name=name)
    written, _ = await write_csv(Export())
    (row,) = csv.DictReader(StringIO(written, newline=""))
    assert row["supplier_name"] == name


async def test_an_export_is_bounded_and_names_what_is_wrong(shop, client):
    for query, field in {"limit=20001": "limit", "page=2": "page", "cursor=%27": "cursor"}.items():
        status, text, _ = await fetch(f"{EXPORT}?{query}", client)
        assert (status, json.loads(text)["errors"][0]["pointer"]) == (400, f"#/{field}")
    assert (await fetch(EXPORT, {}))[0] == 401
