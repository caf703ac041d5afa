"""Pages that go on behind their last row, and deletions of which each fails alone."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
import pytest

from shared.followups.keyset import Place
from shared.platform.cursors import opened
from shared.platform.errors import Conflict, NotFound
from triggers.followups import lists

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def listing(query: str) -> func.HttpRequest:
    return func.HttpRequest(method="GET", url=f"https://app.example.com/api/clients{query}", headers={}, body=b"")


def numbered(*ids: int) -> Any:
    return [SimpleNamespace(id=number, place=Place(NOON, number)) for number in ids]


def test_a_full_array_links_to_the_same_request_behind_its_last_row():
    reply = lists.linked(numbered(3, 4), 2, listing("?stage=lead&page=7&cursor=old"), "clients")
    link = urlsplit(reply.headers["Link"].partition("<")[2].partition(">")[0])
    query = parse_qs(link.query)
    assert (link.path, sorted(query)) == ("/api/clients", ["cursor", "stage"])
    assert opened(query["cursor"][0], "clients") == "4"


def test_where_a_list_has_ended_nothing_is_linked():
    assert "Link" not in lists.linked(numbered(3), 2, listing(""), "clients").headers


@pytest.mark.parametrize(("ids", "following"), [((3, 4), "4"), ((3,), None), ((), None)])
def test_a_page_goes_on_behind_its_last_row_where_it_is_full(ids, following):
    assert lists.page(numbered(*ids), 2).pagination.next == following


def test_a_page_of_moments_goes_on_behind_the_moment_and_the_number():
    cursor = lists.timed_page(numbered(3, 4), 2).pagination.next
    assert Place.of(cursor) == Place(NOON, 4)


def test_pages_by_number_skip_those_before():
    part = lists.CountedPage(limit=20, page=3).part
    assert (part.limit, part.behind, part.skip) == (20, None, 40)


async def test_what_cannot_be_deleted_is_named_and_keeps_nothing_else():
    deleted: list[int] = []

    async def delete(number: int) -> None:
        if number == 2:
            raise NotFound("There is none.")
        if number == 3:
            raise Conflict("It is being sent.")
        deleted.append(number)

    answer = await lists.delete_each([1, 2, 3, 1, 4], delete)
    assert deleted == [1, 4], "a number that was sent twice is deleted once"
    assert (answer.deleted_count, answer.failed_ids, answer.total_requested) == (2, [2, 3], 5)
