"""Clients of the storage SDK as parameters, made by the package azurefunctions-extensions-bindings-blob."""

import logging
import time

import pytest
from azure.storage.blob import BlobServiceClient

from local.host.testing import InProcessHost


@pytest.fixture(scope="module")
def app(apps, storage_connection):
    BlobServiceClient.from_connection_string(storage_connection).create_container("clients")
    with InProcessHost(apps / "extensions", settings={"Storage": storage_connection}) as host:
        yield host


def test_functions_are_given_clients_of_the_storage_sdk(app, storage_connection, caplog):
    # Manifold's own modules silence it for the process.
    caplog.set_level(logging.NOTSET, logger="azure.core.pipeline.policies.http_logging_policy")
    container = BlobServiceClient.from_connection_string(storage_connection).get_container_client("clients")
    container.upload_blob("a.txt", b"abc")
    assert app.request("GET", "/api/names").body == b"a.txt"
    assert "Request URL: " in app.log  # as in Azure a function shows what the SDK that it calls logs
    assert app.request("GET", "/api/plain").body == b"plain"
    deadline = time.monotonic() + 20
    while "uploaded a.txt: b'abc'" not in app.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_without_a_connection_fails_the_run_and_not_the_start(app):
    assert app.host.app.table.errors == []
    assert app.request("GET", "/api/unconnected").status == 500
    assert "The connection setting 'NotThere' is missing" in app.log


def test_a_client_is_kept_for_its_parameter_and_what_it_reaches_as_in_the_worker(app):
    first = app.request("GET", "/api/which/a.txt").body.split()
    assert first[0] != first[1]
    assert app.request("GET", "/api/which/a.txt").body.split() == first
    assert set(app.request("GET", "/api/which/b.txt").body.split()).isdisjoint(first)


def test_a_stream_is_kept_as_well_and_what_was_read_of_it_does_not_come_again_as_in_the_worker(app, storage_connection):
    container = BlobServiceClient.from_connection_string(storage_connection).get_container_client("clients")
    container.upload_blob("c.txt", b"once")
    assert [app.request("GET", "/api/streamed/c.txt").body for _ in range(2)] == [b"once", b""]
    assert "'stream' is the StorageStreamDownloader of an earlier run for this blob, as in Azure" in app.log
