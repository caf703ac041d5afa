"""Queries, pages and the change feed as the azure-cosmos SDK sees them."""

import pytest
from azure.cosmos.exceptions import CosmosHttpResponseError


@pytest.fixture(scope="module")
def filled(database):
    from azure.cosmos import PartitionKey

    container = database.create_container("filled", PartitionKey("/x"))
    for number in range(50):
        tags = ["a", "b"] if number % 2 else ["c"]
        container.create_item({"id": f"i{number}", "x": f"p{number % 3}", "n": number, "tags": tags})
    return container


def ask(container, query: str, partition: str | None = None, **parameters) -> list:
    given = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
    where = {"enable_cross_partition_query": True} if partition is None else {"partition_key": partition}
    return list(container.query_items(query, parameters=given, **where))


def test_a_query_of_one_partition(filled):
    query = "SELECT * FROM c WHERE c.x = @x AND c.n >= @n ORDER BY c.n DESC OFFSET 2 LIMIT 3"
    assert [one["n"] for one in ask(filled, query, "p0", x="p0", n=3)] == [42, 39, 36]
    assert ask(filled, "SELECT VALUE COUNT(1) FROM c", "p0") == [17]
    assert ask(filled, "SELECT c.x, COUNT(1) AS n FROM c GROUP BY c.x", "p0") == [{"x": "p0", "n": 17}]


def test_a_query_over_all_partitions(filled):
    query = "SELECT VALUE c.n FROM c WHERE c.n > @low AND c.n < @high ORDER BY c.n OFFSET 2 LIMIT 3"
    assert ask(filled, query, low=19, high=50) == [22, 23, 24]
    assert ask(filled, "SELECT VALUE COUNT(1) FROM c WHERE IS_DEFINED(c.n)") == [50]
    assert sorted(ask(filled, "SELECT DISTINCT VALUE c.x FROM c")) == ["p0", "p1", "p2"]
    assert len(ask(filled, "SELECT TOP 5 * FROM c ORDER BY c.n")) == 5
    assert len(ask(filled, "SELECT c.id FROM c WHERE ARRAY_CONTAINS(c.tags, 'c')")) == 25
    assert len(ask(filled, "SELECT c.id FROM c WHERE ARRAY_CONTAINS(@ids, c.id)", ids=["i1", "i2", "none"])) == 2
    assert len(ask(filled, "SELECT c.id, t AS tag FROM c JOIN t IN c.tags WHERE t = 'a'")) == 25
    assert len(ask(filled, "SELECT c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = 'a')")) == 25


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SELECT c.x, COUNT(1) AS n FROM c GROUP BY c.x", "Cross partition query only supports"),
        ("SELEC * FROM c", "Syntax error, incorrect syntax near 'SELEC'"),
        ("SELECT * FROM c WHERE c.n = @missing", "@missing"),
        ("SELECT * FROM c WHERE FANCY(c.n)", "'FANCY' is not a recognized built-in function name"),
        ("SELECT * FROM c WHERE d.n = 1", "Identifier 'd' could not be resolved"),
        ("SELECT c.value FROM c", "incorrect syntax near 'value'"),
    ],
)
def test_what_cannot_be_answered_is_refused(filled, query, text):
    with pytest.raises(CosmosHttpResponseError) as refused:
        ask(filled, query)
    assert refused.value.status_code == 400
    assert text in refused.value.message


def test_all_partitions_are_asked_only_on_demand(filled):
    with pytest.raises(CosmosHttpResponseError, match="Cross partition query is required but disabled"):
        list(filled.query_items("SELECT * FROM c"))


@pytest.mark.parametrize("query", ["SELECT * FROM c WHERE c.x = 'p0' ORDER BY c.n", "SELECT * FROM c WHERE c.x = 'p0'"])
def test_a_query_goes_on_from_its_token(filled, query):
    pages = filled.query_items(query, partition_key="p0", max_item_count=7).by_page()
    first = [one["n"] for one in next(pages)]
    following = filled.query_items(query, partition_key="p0", max_item_count=7).by_page(pages.continuation_token)
    rest = [[one["n"] for one in page] for page in following]
    assert [len(first), *map(len, rest)] == [7, 7, 3]
    assert first + [number for page in rest for number in page] == list(range(0, 50, 3))


def test_deleting_what_a_page_showed_skips_nothing(container):
    for number in range(20):
        container.create_item({"id": str(number), "x": "a", "rows": [1, 2, 3]})
    query = "SELECT c.id FROM c JOIN r IN c.rows"
    seen = []
    for page in container.query_items(query, partition_key="a", max_item_count=5).by_page():
        rows = [one["id"] for one in page]
        for name in set(rows[:-1]) - {rows[-1]} - set(seen[-1:]):
            container.delete_item(name, "a")
        seen += rows
    assert seen == [str(number) for number in range(20) for _ in range(3)]


@pytest.mark.parametrize("token", ["nonsense", "[" * 3_000], ids=["nonsense", "nested deeply"])
def test_a_bad_token_is_refused(filled, token):
    pages = filled.query_items("SELECT * FROM c", partition_key="p0").by_page(token)
    with pytest.raises(CosmosHttpResponseError, match="Invalid Continuation Token"):
        next(pages)


def test_the_change_feed_tells_what_is_new(container):
    connection = container.client_connection
    for number in range(5):
        container.create_item({"id": str(number), "x": "a"})
    container.upsert_item({"id": "0", "x": "a", "n": 1})
    changes = container.query_items_change_feed(start_time="Beginning", max_item_count=2).by_page()
    assert [one["id"] for page in changes for one in page] == ["1", "2", "3", "4", "0"]
    token = connection.last_response_headers["etag"]
    container.create_item({"id": "new", "x": "b"})
    assert [one["id"] for one in container.query_items_change_feed(continuation=token)] == ["new"]


def test_the_change_feed_of_one_partition_is_refused(container):
    """The SDK asks for it by the partition's place in a hash range, which the stand-in does not compute."""
    with pytest.raises(CosmosHttpResponseError, match="cannot read a part of its key range"):
        list(container.query_items_change_feed(start_time="Beginning", partition_key="b"))


def test_the_change_feed_can_begin_now(container):
    container.create_item({"id": "old", "x": "a"})
    assert list(container.query_items_change_feed(start_time="Now")) == []
    token = container.client_connection.last_response_headers["etag"]
    container.create_item({"id": "new", "x": "a"})
    assert [one["id"] for one in container.query_items_change_feed(continuation=token)] == ["new"]


def test_there_is_one_physical_partition(filled):
    assert len(list(filled.read_feed_ranges())) == 1
