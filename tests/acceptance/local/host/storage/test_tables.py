import json
import math
import uuid
from datetime import UTC, datetime

import pytest
from azure.data.tables import EdmType, TableServiceClient

from local.host.testing import HostProcess, InProcessHost


@pytest.fixture(scope="module")
def app(apps, storage_connection):
    with InProcessHost(apps / "tables", settings={"Storage": storage_connection}) as host:
        yield host


@pytest.fixture(scope="module")
def service(storage_connection):
    return TableServiceClient.from_connection_string(storage_connection)


@pytest.fixture
def table(service):
    """The name of a table that no other test has; a host makes it."""
    return f"t{uuid.uuid4().hex}"


def post(app, path, value):
    return app.request("POST", f"/api/{path}", value if isinstance(value, bytes) else json.dumps(value).encode()).status


def read(app, path):
    return app.request("GET", f"/api/{path}").json()


def rows(*names, partition="p"):
    return [
        {"PartitionKey": partition, "RowKey": name, "name": name, "size": number} for number, name in enumerate(names)
    ]


def test_a_row_is_written_and_read_by_its_keys(app, service, table):
    row = {"partitionkey": "p", "ROWKEY": "r", "size": 3, "share": 0.5, "good": True, "none": None, "tags": ["a", 1]}
    assert post(app, f"put/{table}", row) == 201, app.log
    tags = '[\n  "a",\n  1\n]'
    stored = {"PartitionKey": "p", "RowKey": "r", "size": 3, "share": 0.5, "good": True, "tags": tags}
    assert read(app, f"row/{table}/p/r") == [stored]
    kept = service.get_table_client(table).get_entity("p", "r")
    assert kept["size"].edm_type == EdmType.INT64
    assert read(app, f"row/{table}/p/other") == []
    assert app.request("GET", f"/api/row/t{uuid.uuid4().hex}/p/r").status == 500  # there is no such table


def test_what_other_programs_store_is_shown_as_the_extension_shows_it(app, service, table):
    client = service.create_table(table)
    moment = datetime(2026, 5, 1, 12, 30, 0, 250000, tzinfo=UTC)
    identity = uuid.UUID(int=7)
    client.create_entity(
        {"PartitionKey": "p", "RowKey": "r", "at": moment, "data": b"\x00\xff", "id": identity, "endless": math.inf}
    )
    shown = {"at": "2026-05-01T12:30:00.25+00:00", "data": "AP8=", "id": str(identity), "endless": "Infinity"}
    assert read(app, f"row/{table}/p/r") == [{"PartitionKey": "p", "RowKey": "r", **shown}]


def test_several_rows_of_several_partitions(app, table):
    assert post(app, f"put/{table}", [*rows(*(f"r{n:03}" for n in range(250))), *rows("x", partition="q")]) == 201
    assert len(app.request("GET", f"/api/all/{table}").json()) == 251
    assert [one["RowKey"] for one in app.request("GET", f"/api/partition/{table}/p").json()] == ["r000", "r001"]
    assert [one["RowKey"] for one in app.request("GET", f"/api/partition/{table}/q").json()] == ["x"]
    assert app.request("GET", f"/api/partition/{table}/none").json() == []


def test_a_row_key_counts_for_nothing_as_in_azure_and_the_log_says_so(app, table):
    assert post(app, f"put/{table}", [*rows("a", "b"), *rows("c", partition="q")]) == 201
    assert [one["RowKey"] for one in read(app, f"keyed/{table}/p/a")] == ["a", "b"]
    assert "the row_key of the table input 'found' counts for nothing" in app.log


def test_parameters_of_a_filter_cannot_change_its_sense(app, table):
    assert post(app, f"put/{table}", rows("plain", "o'hara")) == 201
    found = app.request("GET", f"/api/named/{table}/o'hara/0").json()
    assert [one["RowKey"] for one in found] == ["o'hara"]
    assert app.request("GET", f"/api/named/{table}/plain/0%20or%20true").status == 500
    assert "An invalid parameter value was specified for filter parameter 'least'." in app.log
    assert app.request("GET", f"/api/named/{table}/x'%20or%20'a'%20eq%20'a/0").json() == []


def test_keys_of_the_binding_count_where_the_row_has_none(app, table):
    assert post(app, f"put-keyed/{table}/p/r", {"name": "a"}) == 201
    assert post(app, f"put-keyed/{table}/p/r", {"RowKey": "own", "name": "b"}) == 201
    assert read(app, f"row/{table}/p/own")[0]["name"] == "b"
    assert read(app, f"row/{table}/p/r")[0]["name"] == "a"


def test_a_row_that_is_there_fails_the_run_unless_its_etag_lets_it_be_replaced(app, service, table):
    assert post(app, f"put/{table}", rows("a")) == 201
    assert post(app, f"put/{table}", rows("b", "a")) == 500
    with pytest.raises(Exception, match="not exist"):
        service.get_table_client(table).get_entity("p", "b")
    assert post(app, f"put/{table}", [{**rows("a")[0], "ETag": "*", "name": "new"}]) == 201
    assert read(app, f"row/{table}/p/a")[0]["name"] == "new"
    stale = service.get_table_client(table).get_entity("p", "a").metadata["etag"]
    assert post(app, f"put/{table}", [{**rows("a")[0], "ETag": stale, "name": "newer"}]) == 201
    assert post(app, f"put/{table}", [{**rows("a")[0], "ETag": stale, "name": "newest"}]) == 500
    assert read(app, f"row/{table}/p/a")[0]["name"] == "newer"


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (b"no json", "this is no JSON"),
        (b"5", "A row of a table is a JSON object, and 5 is none."),
        (b'[{"PartitionKey": "p"}]', "'' is not a valid value for a partition key or row key"),
        (b'[{"PartitionKey": "p", "RowKey": "a/b"}]', "'a/b' is not a valid value for a partition key or row key"),
        (b'[{"PartitionKey": "p", "RowKey": "a", "n": 9223372036854775808}]', "'n' is a number that no table holds"),
    ],
)
def test_what_is_no_row_fails_the_run_and_is_named(app, table, value, named):
    assert post(app, f"put/{table}", value) == 500
    assert named in app.log


def test_a_table_that_cannot_be_named_so(app):
    assert post(app, "put/no-table", rows("a")) == 500
    assert "'no-table' is not a valid name for an Azure table" in app.log


def test_a_missing_connection_leaves_its_functions_out(apps, tmp_path):
    with HostProcess(apps / "tables", tmp_path, environment={"Storage": ""}) as host:
        assert "Binding 'rows': The connection setting 'Storage' is missing." in "\n".join(host.output)
        assert host.request("POST", "/api/put/x", b"{}").status == 404
