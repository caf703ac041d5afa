"""A cursor that is changed or of another list is refused before the database sees it."""

import json

import pytest

from shared.diamonds.offer.search import Search, find
from shared.platform.errors import InvalidInput


@pytest.mark.parametrize("cursor", ["nonsense", "{}", "[]", "null", "", "A" * 200, '{"by":"created_at"}'])
async def test_a_cursor_that_is_none_of_ours_is_refused(shop, cursor):
    with pytest.raises(InvalidInput, match="cursor"):
        await find(Search(cursor=cursor))


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("created_at", "2026-13-01 00:00:00+00"),
        ("created_at", "5"),
        ("created_at", "2026-01-01 00:00:00+23:59"),
        ("created_at", "2026-01-01 00:00:00-15:01"),
        ("carats", "1-2"),
        ("carats", "99999999999999"),
        ("color", "1.5"),
        ("color", "40000"),
        ("price_model_price", "1:2"),
    ],
)
async def test_a_forged_key_never_reaches_the_database(shop, by, key):
    with pytest.raises(InvalidInput):
        await find(Search(sort_by=by, cursor=forged({"by": by, "order": "desc", "key": key, "id": 1})))


def forged(content):
    """A place of this content, as it comes out of a cursor whose seal somebody made who has read the source."""
    return json.dumps(content)


@pytest.mark.parametrize("key", ["2026-01-01802:03:04.123456+00", "2026-01-01 02:03:04+14:59:59"])
async def test_a_time_that_only_python_reads_is_given_to_postgresql_as_both_read_it(shop, key):
    await find(Search(cursor=forged({"by": "created_at", "order": "desc", "key": key, "id": 1})))


async def test_a_cursor_of_another_order_is_refused(shop):
    for _ in range(2):
        await shop.offer()
    cursor = (await find(Search(limit=1))).pagination.next
    with pytest.raises(InvalidInput, match="created_at desc"):
        await find(Search(limit=1, sort_order="asc", cursor=cursor))
