"""Documents of the stand-in as the azure-cosmos SDK sees them."""

import time

import pytest
from azure.core import MatchConditions
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from tests.present import present

UNCHANGED = {"match_condition": MatchConditions.IfNotModified}


def status(call) -> int | None:
    with pytest.raises(CosmosHttpResponseError) as refused:
        call()
    return refused.value.status_code


def test_an_item_comes_back_with_its_system_properties(container):
    sent = {"id": "1", "x": "a", "text": "ä\u2028\U0001f600", "deep": [{"n": 1.5, "none": None, "yes": True}]}
    created = container.create_item(sent)
    read = container.read_item("1", "a")
    assert read == created
    assert {key: value for key, value in read.items() if not key.startswith("_")} == sent
    assert sorted(key for key in read if key.startswith("_")) == ["_attachments", "_etag", "_rid", "_self", "_ts"]
    headers = container.client_connection.last_response_headers
    assert float(headers["x-ms-request-charge"]) > 0
    assert headers["x-ms-activity-id"]
    assert headers["x-ms-session-token"].startswith("0:-1#")
    assert headers["etag"] == read["_etag"]


def test_a_missing_item_is_not_found(container):
    container.create_item({"id": "1", "x": "a"})
    for name, partition in (("2", "a"), ("1", "b")):
        with pytest.raises(CosmosResourceNotFoundError):
            container.read_item(name, partition)


def test_an_id_is_unique_within_its_partition(container):
    container.create_item({"id": "1", "x": "a"})
    container.create_item({"id": "1", "x": "b"})
    with pytest.raises(CosmosResourceExistsError):
        container.create_item({"id": "1", "x": "a"})


def test_values_of_a_partition_key_differ_by_type(container):
    for value in ("1", 1, True, None):
        container.create_item({"id": "same", "x": value, "kind": str(type(value))})
    container.create_item({"id": "same", "kind": "missing"})
    for value in ("1", 1, True, None):
        assert container.read_item("same", value)["kind"] == str(type(value))
    assert container.read_item("same", 1.0)["kind"] == str(int)


def test_a_replaced_item_needs_the_current_etag(container):
    first = container.create_item({"id": "1", "x": "a", "n": 1})
    second = container.replace_item("1", {**first, "n": 2}, etag=first["_etag"], **UNCHANGED)
    assert (second["n"], second["_etag"] != first["_etag"], second["_rid"]) == (2, True, first["_rid"])
    for change in (
        lambda: container.replace_item("1", {**first, "n": 3}, etag=first["_etag"], **UNCHANGED),
        lambda: container.upsert_item({**first, "n": 3}, etag=first["_etag"], **UNCHANGED),
        lambda: container.patch_item(
            "1", "a", [{"op": "set", "path": "/n", "value": 3}], etag=first["_etag"], **UNCHANGED
        ),
        lambda: container.delete_item("1", "a", etag=first["_etag"], **UNCHANGED),
    ):
        with pytest.raises(CosmosAccessConditionFailedError):
            change()
    assert container.read_item("1", "a")["n"] == 2
    container.delete_item("1", "a", etag=second["_etag"], **UNCHANGED)
    with pytest.raises(CosmosResourceNotFoundError):
        container.delete_item("1", "a")


def test_an_unchanged_item_is_not_sent_again(container):
    item = container.create_item({"id": "1", "x": "a"})
    assert not container.read_item("1", "a", etag=item["_etag"], match_condition=MatchConditions.IfModified)
    changed = container.upsert_item({"id": "1", "x": "a", "n": 2})
    assert container.read_item("1", "a", etag=item["_etag"], match_condition=MatchConditions.IfModified) == changed


def test_replacing_needs_an_item_and_its_own_id(container):
    assert status(lambda: container.replace_item("1", {"id": "1", "x": "a"})) == 404
    container.create_item({"id": "1", "x": "a"})
    assert status(lambda: container.replace_item("1", {"id": "2", "x": "a"})) == 400


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a?b", "a#b", "x" * 1024, 5])
def test_bad_ids_are_refused(container, name):
    with pytest.raises((CosmosHttpResponseError, TypeError, ValueError)) as refused:
        container.create_item({"id": name, "x": "a"})
    assert getattr(refused.value, "status_code", 400) == 400


@pytest.mark.parametrize("name", ["a b", "ä", "a.b:c", "x" * 1023, "a%20b", "a+b"])
def test_other_ids_are_found_again(container, name):
    container.create_item({"id": name, "x": "a"})
    assert container.read_item(name, "a")["id"] == name


def test_an_item_over_two_megabytes_is_refused(container):
    assert status(lambda: container.create_item({"id": "1", "x": "a", "text": "z" * 2_100_000})) == 413
    container.create_item({"id": "1", "x": "a", "text": "z" * 2_000_000})


def test_a_partition_key_is_a_simple_value(container):
    assert status(lambda: container.create_item({"id": "1", "x": ["a"]})) == 400


def test_a_partial_update(container):
    container.create_item({"id": "1", "x": "a", "n": 9, "s": {"d": 1}, "tags": ["a", "b"]})
    operations = [
        {"op": "add", "path": "/new", "value": 1},
        {"op": "incr", "path": "/n", "value": 5},
        {"op": "set", "path": "/s/d", "value": 7},
        {"op": "add", "path": "/tags/-", "value": "z"},
        {"op": "replace", "path": "/tags/0", "value": "A"},
        {"op": "remove", "path": "/tags/1"},
        {"op": "move", "from": "/new", "path": "/moved"},
    ]
    patched = container.patch_item("1", "a", operations)
    assert {key: patched.get(key) for key in ("n", "s", "tags", "new", "moved")} == {
        "n": 14,
        "s": {"d": 7},
        "tags": ["A", "z"],
        "new": None,
        "moved": 1,
    }


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "replace", "path": "/missing", "value": 1}],
        [{"op": "remove", "path": "/missing"}],
        [{"op": "set", "path": "/missing/deep", "value": 1}],
        [{"op": "incr", "path": "/text", "value": 1}],
        [{"op": "set", "path": "/id", "value": "2"}],
        [{"op": "set", "path": "/x", "value": "b"}],
        [{"op": "set", "path": "/_ts", "value": 1}],
        [{"op": "add", "path": "/list/5", "value": 1}],
        [{"op": "set", "path": f"/p{number}", "value": 1} for number in range(11)],
    ],
)
def test_a_partial_update_that_does_not_fit_changes_nothing(container, operations):
    before = container.create_item({"id": "1", "x": "a", "text": "t", "list": []})
    assert status(lambda: container.patch_item("1", "a", operations)) == 400
    assert container.read_item("1", "a") == before


def test_a_partial_update_can_have_a_condition(container):
    container.create_item({"id": "1", "x": "a", "state": "new"})
    change = [{"op": "set", "path": "/state", "value": "done"}]
    with pytest.raises(CosmosAccessConditionFailedError):
        container.patch_item("1", "a", change, filter_predicate="from c where c.state = 'running'")
    assert container.patch_item("1", "a", change, filter_predicate="from c where c.state = 'new'")["state"] == "done"


def test_a_batch_is_all_or_nothing(container):
    item = {"id": "1", "x": "a"}
    results = container.execute_item_batch(
        [("create", (item,)), ("upsert", ({**item, "n": 2},)), ("read", ("1",)), ("delete", ("1",))], "a"
    )
    assert [one["statusCode"] for one in results] == [201, 200, 200, 204]
    assert results[2]["resourceBody"]["n"] == 2

    container.create_item(item)
    patch = [{"op": "set", "path": "/n", "value": 5}]
    with pytest.raises(CosmosBatchOperationError) as failed:
        container.execute_item_batch(
            [("patch", ("1", patch)), ("create", ({"id": "2", "x": "a"},)), ("create", (item,))], "a"
        )
    assert failed.value.operation_responses
    assert [one["statusCode"] for one in failed.value.operation_responses] == [424, 424, 409]
    assert failed.value.error_index == 2
    assert "n" not in container.read_item("1", "a")
    with pytest.raises(CosmosResourceNotFoundError):
        container.read_item("2", "a")


def test_a_batch_keeps_to_its_partition_and_its_etags(container):
    item = container.create_item({"id": "1", "x": "a"})
    for operation, code in (
        (("create", ({"id": "2", "x": "b"},)), 400),
        (("replace", ("1", item), {"if_match_etag": '"old"'}), 412),
        (("delete", ("9",)), 404),
    ):
        with pytest.raises(CosmosBatchOperationError) as failed:
            container.execute_item_batch([operation], "a")
        assert present(present(failed.value.operation_responses)[0])["statusCode"] == code
    with pytest.raises(CosmosHttpResponseError):
        container.execute_item_batch([("read", ("1",))] * 101, "a")


def test_items_expire_by_their_own_ttl(make_container):
    container = make_container(default_ttl=-1, unique_key_policy={"uniqueKeys": [{"paths": ["/email"]}]})
    container.create_item({"id": "short", "x": "a", "ttl": 1, "email": "e"})
    container.create_item({"id": "long", "x": "a"})
    deadline = time.monotonic() + 30
    while [one["id"] for one in container.read_all_items()] != ["long"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with pytest.raises(CosmosResourceNotFoundError):
        container.read_item("short", "a")
    container.create_item({"id": "short", "x": "a", "email": "e"})
    assert status(lambda: container.create_item({"id": "bad", "x": "a", "ttl": 0})) == 400


def test_a_ttl_without_the_containers_consent_does_nothing(container, make_container):
    consenting = make_container(default_ttl=-1)
    for one in (container, consenting):
        one.create_item({"id": "1", "x": "a", "ttl": 1})
    deadline = time.monotonic() + 30
    while list(consenting.read_all_items()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert container.read_item("1", "a")["ttl"] == 1


def test_unique_keys_hold_within_a_partition(make_container):
    container = make_container(unique_key_policy={"uniqueKeys": [{"paths": ["/email"]}, {"paths": ["/a", "/b/c"]}]})
    container.create_item({"id": "1", "x": "a", "email": "e", "a": 1, "b": {"c": 1}})
    container.create_item({"id": "1", "x": "b", "email": "e", "a": 1, "b": {"c": 1}})
    container.create_item({"id": "2", "x": "a", "email": "f", "a": 1, "b": {"c": 2}})
    for item in ({"id": "3", "x": "a", "email": "e"}, {"id": "3", "x": "a", "email": "g", "a": 1, "b": {"c": 2}}):
        with pytest.raises(CosmosResourceExistsError):
            container.create_item(item)
    container.upsert_item({"id": "1", "x": "a", "email": "new"})
    container.create_item({"id": "3", "x": "a", "email": "e", "a": 3})


def test_a_partition_key_of_several_parts(make_container):
    container = make_container(["/tenant", "/user"])
    container.create_item({"id": "1", "tenant": "t", "user": "u"})
    assert container.read_item("1", ["t", "u"])["id"] == "1"
    with pytest.raises(CosmosResourceNotFoundError):
        container.read_item("1", ["t", "v"])


def test_a_whole_partition_can_be_deleted(container):
    for name, partition in (("1", "a"), ("2", "a"), ("1", "b")):
        container.create_item({"id": name, "x": partition})
    container.delete_all_items_by_partition_key("a")
    assert [(one["id"], one["x"]) for one in container.read_all_items()] == [("1", "b")]


def test_many_items_can_be_read_at_once(container):
    for number in range(4):
        container.create_item({"id": str(number), "x": f"p{number % 2}"})
    found = container.read_items([("1", "p1"), ("2", "p0"), ("1", "p0"), ("9", "p1")])
    assert sorted(one["id"] for one in found) == ["1", "2"]


def test_an_answer_can_do_without_the_document(container):
    assert not container.create_item({"id": "1", "x": "a"}, no_response=True)
    assert container.read_item("1", "a")["id"] == "1"
