"""Databases, containers, keys, clients of other kinds, and the end of the process."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from azure.core import MatchConditions
from azure.cosmos import CosmosClient, PartitionKey
from azure.cosmos.aio import CosmosClient as AsyncClient
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from local.cosmos.testing import CosmosProcess, running


def test_databases_come_and_go(client: CosmosClient):
    database = client.create_database_if_not_exists("one")
    assert client.create_database_if_not_exists("one").read()["_rid"] == database.read()["_rid"]
    with pytest.raises(CosmosResourceExistsError):
        client.create_database("one")
    assert "one" in [found["id"] for found in client.list_databases()]
    picked = client.query_databases("SELECT * FROM d WHERE d.id = @id", parameters=[{"name": "@id", "value": "one"}])
    assert [found["id"] for found in picked] == ["one"]
    container = database.create_container("c", PartitionKey("/x"))
    container.create_item({"id": "1", "x": "a"})
    client.delete_database("one")
    with pytest.raises(CosmosResourceNotFoundError):
        container.read_item("1", "a")
    again = client.create_database("one").create_container("c", PartitionKey("/x"))
    assert list(again.read_all_items()) == []
    client.delete_database("one")


def test_a_container_keeps_its_settings(make_container, database):
    unique = {"uniqueKeys": [{"paths": ["/email"]}]}
    container = make_container(default_ttl=60, unique_key_policy=unique)
    settings = container.read()
    assert settings["partitionKey"]["paths"] == ["/x"]
    assert (settings["defaultTtl"], settings["uniqueKeyPolicy"]) == (60, unique)
    changed = database.replace_container(container, PartitionKey("/x"), default_ttl=-1).read()
    assert changed["defaultTtl"] == -1
    assert changed["uniqueKeyPolicy"] == unique
    with pytest.raises(CosmosHttpResponseError, match="partitionKey cannot be changed"):
        database.replace_container(container, PartitionKey("/y"))


def test_throughput_is_refused_as_in_a_serverless_account(database, container):
    with pytest.raises(CosmosHttpResponseError, match="serverless"):
        database.create_container("paid", PartitionKey("/x"), offer_throughput=400)
    with pytest.raises(CosmosHttpResponseError, match="serverless"):
        container.get_throughput()


def test_another_key_is_refused(cosmos: CosmosProcess):
    wrong = cosmos.key[:10] + "AAAA" + cosmos.key[14:]
    with pytest.raises(CosmosHttpResponseError) as refused:
        CosmosClient(cosmos.endpoint, wrong)
    assert refused.value.status_code == 401


@pytest.mark.parametrize("headers", [{}, {"authorization": "type=aad&ver=1.0&sig=x"}, {"authorization": "nonsense"}])
def test_a_request_without_a_token_is_refused(cosmos: CosmosProcess, headers: dict[str, str]):
    answer = httpx.get(f"{cosmos.endpoint}/dbs", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "Unauthorized"


def test_an_unknown_route_says_so(cosmos: CosmosProcess):
    answer = httpx.get(f"{cosmos.endpoint}/dbs/tests/colls/c/sprocs")
    assert answer.status_code == 404
    assert "has no GET" in answer.json()["message"]


async def test_of_concurrent_changes_by_etag_one_wins(cosmos: CosmosProcess):
    """Ten clients add one to a counter, each with the etag it has read, until every one has done it ten times."""
    clients, rounds = 10, 10
    lost = 0
    async with AsyncClient(cosmos.endpoint, cosmos.key) as client:
        container = await client.get_database_client("tests").create_container("counters", PartitionKey("/x"))
        await container.create_item({"id": "counter", "x": "a", "n": 0})

        async def add() -> None:
            nonlocal lost
            done = 0
            while done < rounds:
                item = await container.read_item("counter", "a")
                try:
                    await container.replace_item(
                        "counter",
                        {**item, "n": item["n"] + 1},
                        etag=item["_etag"],
                        match_condition=MatchConditions.IfNotModified,
                    )
                    done += 1
                except CosmosAccessConditionFailedError:
                    lost += 1

        await asyncio.gather(*(add() for _ in range(clients)))
        assert (await container.read_item("counter", "a"))["n"] == clients * rounds
    assert lost > 0


async def test_the_asynchronous_client_reads_what_it_writes(cosmos: CosmosProcess):
    async with AsyncClient(cosmos.endpoint, cosmos.key) as client:
        container = await client.get_database_client("tests").create_container("asynchronous", PartitionKey("/x"))
        await asyncio.gather(
            *(container.upsert_item({"id": f"i{number}", "x": "p", "n": number}) for number in range(50))
        )
        query = "SELECT VALUE c.n FROM c WHERE c.x = @x ORDER BY c.n"
        parameters: list[dict[str, object]] = [{"name": "@x", "value": "p"}]
        found = [one async for one in container.query_items(query, parameters=parameters, partition_key="p")]
        assert found == list(range(50))


def test_no_answered_write_is_lost_by_a_kill(tmp_path: Path):
    with running(tmp_path) as cosmos:
        with CosmosClient(cosmos.endpoint, cosmos.key) as client:
            container = client.create_database("d").create_container("c", PartitionKey("/x"))
            written = {str(number): container.create_item({"id": str(number), "x": "a"}) for number in range(50)}
        cosmos.kill()
        cosmos.start()
        with CosmosClient(cosmos.endpoint, cosmos.key) as client:
            container = client.get_database_client("d").get_container_client("c")
            assert {one["id"]: one for one in container.read_all_items()} == written


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.cosmos", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_it_says_why_it_cannot_start(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = start("--port", str(port), "--data", str(tmp_path))
    assert (busy.returncode, busy.stderr) == (1, f"Port {port} is in use. Stop what uses it or pass --port.\n")
    bad = start("--data", str(tmp_path), "--key", "no base 64!")
    assert (bad.returncode, bad.stderr) == (1, "The key is no Base64 text: see --key.\n")
    with running(tmp_path):
        shared = start("--data", str(tmp_path))
    file = tmp_path / "cosmos.sqlite"
    expected = f"The account {file} is used by another process. Stop that one, or pass --data with another folder.\n"
    assert (shared.returncode, shared.stderr) == (1, expected)
    file.write_bytes(b"")
    damaged = start("--data", str(tmp_path))
    assert damaged.returncode == 1
    assert damaged.stderr.startswith(f"The account {file} is damaged: it is empty")
    assert damaged.stderr.count("\n") == 1


def test_a_signal_stops_it_cleanly(tmp_path: Path):
    cosmos = CosmosProcess(tmp_path)
    cosmos.start()
    with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        client.create_database("d")
        assert cosmos.stop() == 0
