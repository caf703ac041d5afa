"""What the account answers to each request."""

import json
from typing import Any

from local.cosmos.errors import BadQueryError, BadRequestError, NotFoundError
from local.cosmos.items import Item, Items, partition_key
from local.cosmos.json_types import is_array
from local.cosmos.patch import patch_item
from local.cosmos.rest import feeds
from local.cosmos.rest.batch import execute
from local.cosmos.rest.feeds import Page
from local.cosmos.rest.http import Answer, Call
from local.cosmos.sql.parser import parse
from local.cosmos.sql.run import run
from local.cosmos.sql.syntax import SqlError
from local.cosmos.store import Container, Store

_PARTITION_KEY = "x-ms-documentdb-partitionkey"
_WRITE_CHARGE, _QUERY_CHARGE = 6.0, 2.8


class Account:
    def __init__(self, store: Store) -> None:
        self._store = store

    # The account

    def describe(self, call: Call) -> Answer:
        location = [{"name": "Local", "databaseAccountEndpoint": f"http://{call.host}/"}]
        body = {
            "id": "local",
            "_rid": "local",
            "_self": "",
            "_dbs": "//dbs/",
            "writableLocations": location,
            "readableLocations": location,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
            "userReplicationPolicy": {"maxReplicasetSize": 1, "minReplicaSetSize": 1},
            "queryEngineConfiguration": "{}",
        }
        return Answer(200, body)

    def offers(self, _call: Call) -> Answer:
        raise BadRequestError("Reading or replacing offers is not supported for serverless accounts.")

    def databases(self, call: Call) -> Answer:
        if call.method == "POST" and not call.is_query:
            _refuse_throughput(call)
            return Answer(201, self._store.create_database(call.object()), _WRITE_CHARGE)
        return _list(call, "Databases", self._store.list_databases())

    def database(self, call: Call) -> Answer:
        if call.method == "DELETE":
            self._store.delete_database(call.path["db"])
            return Answer(204)
        return Answer(200, self._store.read_database(call.path["db"]))

    def containers(self, call: Call) -> Answer:
        database = call.path["db"]
        if call.method == "POST" and not call.is_query:
            _refuse_throughput(call)
            return Answer(201, self._store.create_container(database, call.object()), _WRITE_CHARGE)
        return _list(call, "DocumentCollections", self._store.list_containers(database))

    def container(self, call: Call) -> Answer:
        database, name = call.path["db"], call.path["coll"]
        if call.method == "DELETE":
            self._store.delete_container(database, name)
            return Answer(204)
        if call.method == "PUT":
            return Answer(200, self._store.replace_container(database, name, call.object()), _WRITE_CHARGE)
        return Answer(200, self._store.container(database, name).body)

    def ranges(self, call: Call) -> Answer:
        """The one physical partition; it never splits."""
        container = self._container(call)
        if call.headers.get("if-none-match"):
            return Answer(304, etag='"1"')
        whole: dict[str, Any] = {"id": "0", "minInclusive": "", "maxExclusive": "FF", "status": "online", "parents": []}
        body = {
            "_rid": container.rid,
            "PartitionKeyRanges": [{**whole, "_rid": container.rid, "_etag": '"1"'}],
            "_count": 1,
        }
        return Answer(200, body, etag='"1"')

    # Documents

    def _container(self, call: Call) -> Container:
        try:
            container = self._store.container(call.path["db"], call.path["coll"])
        except NotFoundError as error:
            raise NotFoundError("Owner resource does not exist", 1003) from error
        intended = call.headers.get("x-ms-cosmos-intended-collection-rid")
        if intended and intended != container.rid:
            # The container was deleted and made anew; the client refreshes what it remembers of it.
            raise BadRequestError("Collection rid in the request does not match the container.", 1024)
        return container

    def _items(self, call: Call) -> Items:
        return Items(self._store, self._container(call))

    def documents(self, call: Call) -> Answer:
        items = self._items(call)
        if call.method == "GET":
            return self._feed(call, items)
        if call.is_query or call.says("x-ms-cosmos-is-query-plan-request"):
            return self._query(call, items)
        partition = _partition(call, items)
        if call.says("x-ms-cosmos-is-batch-request"):
            status, results = execute(self._store, items, partition, call.json())
            return Answer(status, results, _WRITE_CHARGE * len(results), lsn=items.container.lsn)
        document = call.object()
        with self._store.transaction():
            if call.says("x-ms-documentdb-is-upsert"):
                item, created = items.upsert(partition, document, call.headers.get("if-match"))
            else:
                item, created = items.create(partition, document), True
        return _written(call, item, 201 if created else 200)

    def document(self, call: Call) -> Answer:
        items = self._items(call)
        partition, name, if_match = _partition(call, items), call.path["id"], call.headers.get("if-match")
        if call.method == "GET":
            item = items.read(partition, name)
            if call.headers.get("if-none-match") == item.etag:
                return Answer(304, etag=item.etag)
            return Answer(200, item.document, etag=item.etag, lsn=items.container.lsn)
        with self._store.transaction():
            if call.method == "DELETE":
                items.delete(partition, name, if_match)
                return Answer(204, charge=_WRITE_CHARGE)
            if call.method == "PATCH":
                item = patch_item(items, partition, name, call.json(), if_match)
            else:
                item = items.replace(partition, name, call.object(), if_match)
        return _written(call, item, 200)

    def delete_partition(self, call: Call) -> Answer:
        items = self._items(call)
        partition = _partition(call, items)
        with self._store.transaction():
            items.delete_partition(partition)
        return Answer(200, charge=_WRITE_CHARGE)

    def _feed(self, call: Call, items: Items) -> Answer:
        partition = _partition(call, items) if _PARTITION_KEY in call.headers else _whole_range(call)
        mode = call.headers.get("a-im", "").lower()
        if not mode:
            return _results(items, feeds.read_feed(items, partition, call.headers))
        if mode not in {"incremental feed", "incremental-feed"}:
            raise BadRequestError("The stand-in's change feed has the mode 'latest version' alone.")
        found = feeds.changes(items, partition, call.headers)
        if not found.documents:
            return Answer(304, etag=found.etag, lsn=items.container.lsn)
        body = {"_rid": items.container.rid, "Documents": found.documents, "_count": len(found.documents)}
        return Answer(200, body, _QUERY_CHARGE, etag=found.etag, lsn=items.container.lsn)

    def _query(self, call: Call, items: Items) -> Answer:
        if call.says("x-ms-cosmos-is-query-plan-request"):
            raise BadRequestError("The stand-in has one partition and makes no query plans.")
        partition = _partition(call, items) if _PARTITION_KEY in call.headers else _whole_range(call)
        anywhere = call.says("x-ms-documentdb-query-enablecrosspartition") or call.headers.get(
            "x-ms-documentdb-partitionkeyrangeid"
        )
        if partition is None and not anywhere:
            raise BadRequestError(
                "Cross partition query is required but disabled. Please set x-ms-documentdb-query-enablecrosspartition "
                "to true, specify x-ms-documentdb-partitionkey, or revise your query to avoid this exception."
            )
        return _results(items, feeds.query(items, partition, call.json(), call.headers))


def _partition(call: Call, items: Items) -> str:
    """The partition that the request names.

    Raises:
        BadRequestError: it names none, or not as many values as the container's key has parts.
    """
    text = call.headers.get(_PARTITION_KEY)
    if text is None:
        raise BadRequestError("PartitionKey value must be supplied for this operation.")
    try:
        values: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"Partition key {text} is invalid.") from error
    if not is_array(values) or len(values) != len(items.container.partition_paths):
        raise BadRequestError("Partition key provided doesn't correspond to definition in the collection.")
    return partition_key(values)


def _whole_range(call: Call) -> None:
    """Raises BadRequestError if the request is for a part of the hash range that partition keys map to."""
    low, high = call.headers.get("x-ms-start-epk", ""), call.headers.get("x-ms-end-epk", "FF")
    if (low, high) != ("", "FF"):
        raise BadRequestError("The stand-in has one physical partition and cannot read a part of its key range.")


def _refuse_throughput(call: Call) -> None:
    if "x-ms-offer-throughput" in call.headers or "x-ms-cosmos-offer-autopilot-settings" in call.headers:
        raise BadRequestError(
            "Setting offer throughput or autopilot on container is not supported for serverless accounts."
        )


def _list(call: Call, name: str, resources: list[dict[str, Any]]) -> Answer:
    """All databases or containers, or those that a query picks."""
    if call.is_query:
        try:
            resources = [row.value for row in run(parse(*feeds.statement(call.json())), enumerate(resources))]
        except SqlError as error:
            raise BadQueryError(error.code, error.message) from error
    return Answer(200, {"_rid": "", name: resources, "_count": len(resources)})


def _written(call: Call, item: Item, status: int) -> Answer:
    minimal = call.headers.get("prefer") == "return=minimal"
    return Answer(status, None if minimal else item.document, _WRITE_CHARGE, etag=item.etag, lsn=item.lsn)


def _results(items: Items, page: Page) -> Answer:
    count = len(page.results)
    body = {"_rid": items.container.rid, "Documents": page.results, "_count": count}
    headers = {"x-ms-item-count": str(count)}
    if page.continuation is not None:
        headers["x-ms-continuation"] = page.continuation
    return Answer(200, body, _QUERY_CHARGE, lsn=items.container.lsn, headers=headers)
