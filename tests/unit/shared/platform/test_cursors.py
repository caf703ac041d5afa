"""Every list of the app refuses each cursor that it did not give itself, whatever was changed."""

import json
import random
import string
from typing import Any, get_origin, get_type_hints
from urllib.parse import quote

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

import function_app  # noqa: F401 - declares the workloads
from shared.platform.access.auth import Caller
from shared.platform.cursors import Next, opened, sealed
from shared.platform.errors import UnusableCursor
from shared.platform.http.answers import Page, Pagination, answers_with, response
from shared.platform.http.problems import problem_response
from shared.platform.workload import workloads

OPERATIONS = {o.name: o for workload in workloads() for routes in workload.routes for o in routes.operations}


def fields(operation: Any) -> set[str]:
    query = operation.inputs.types.get("query")
    return set(query.model_fields) if query else set()


LISTS = sorted(name for name, operation in OPERATIONS.items() if "cursor" in fields(operation))


@given(place=st.text(st.characters(exclude_categories=["Cs"])), name=st.text(string.ascii_letters))
def test_a_cursor_leads_back_to_its_place_and_needs_no_encoding_in_an_address(place, name):
    cursor = sealed(place, name)
    assert opened(cursor, name) == place
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_a_changed_cursor_is_refused_whatever_was_changed(place, data):
    cursor = sealed(place, "list")
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]))
    for changed in (
        cursor[:at] + other + cursor[at + 1 :],
        cursor[:at] + other + cursor[at:],
        cursor[:at],
        cursor[at + 1 :],
        cursor[::-1],
        cursor.swapcase(),
        cursor + "=",
        f"{cursor}\n",
        cursor * 2,
    ):
        if changed != cursor:
            with pytest.raises(UnusableCursor):
                opened(changed, "list")


def test_the_lists_are_found():
    assert len(LISTS) >= 20
    assert {"list_runs", "diamonds_search", "papers_search", "deploys_projects", "backups_list"} <= set(LISTS)


@pytest.mark.parametrize("name", LISTS)
def test_no_list_of_the_app_takes_a_cursor_that_it_did_not_give(name):
    operation = OPERATIONS[name]
    chance = random.Random(name)
    own = sealed("1", name)
    for cursor in (
        *("1", "abc", "A" * 40, "0-0", "20260101T000000Z", "1700000000/x", sealed("1", "another_list")),
        *("".join(chance.choices(string.printable.strip(), k=chance.randrange(1, 90))) for _ in range(50)),
        *(own[:at] + chance.choice(string.ascii_letters + string.digits) + own[at + 1 :] for at in range(len(own))),
    ):
        parts = dict.fromkeys(operation.inputs.path_names, "1")
        request = func.HttpRequest("GET", f"/?cursor={quote(cursor, safe='')}", route_params=parts, body=b"")
        if cursor != own:
            with pytest.raises(UnusableCursor) as refused:
                operation.inputs.read(request, Caller("tester"), None)
            answer = problem_response(refused.value, request, operation.unusable, operation.inputs.part_of)
            problem = json.loads(answer.get_body())
            assert (answer.status_code, problem["remedy"]) == (400, "Begin again without a cursor.")
            [field] = problem["errors"]
            assert (field["in"], field["pointer"]) == ("query", "#/cursor")


@pytest.mark.parametrize("name", LISTS)
def test_every_list_seals_where_its_next_page_begins(name):
    answer = answers_with(OPERATIONS[name].inputs.returns)
    if answer is func.HttpResponse or get_origin(answer) is list:
        return  # a header says it: see the tests of the export, and of the lists of follow-ups
    found = answer if "next" in answer.model_fields else answer.model_fields["pagination"].annotation
    assert get_type_hints(found, include_extras=True)["next"] == Next


def test_an_answer_holds_the_cursor_of_its_list():
    page = Page[Pagination](data=[], pagination=Pagination(limit=1, next="7"))
    sent = json.loads(response(page, 200, "stones").get_body())
    assert opened(sent["pagination"]["next"], "stones") == "7"
    assert page.pagination.next == "7"
