import time
import urllib.request

import pytest
from azure.storage.blob import BlobServiceClient

from local.host.testing import InProcessHost


@pytest.fixture(scope="module")
def app(apps, storage_connection):
    BlobServiceClient.from_connection_string(storage_connection).create_container("clients")
    with InProcessHost(apps / "extensions", settings={"Storage": storage_connection}) as host:
        yield host


def test_a_streamed_answer_arrives_part_by_part_and_a_streamed_request_is_read_by_the_function(app):
    with urllib.request.urlopen(f"{app.url}/api/parts", timeout=20) as answer:
        assert answer.read(6) == b"first "
        opened = app.request("POST", "/api/open/front?a=1", b"x" * 200_000)
        assert opened.json() == {"door": "front", "query": "1", "size": 200_000}
        assert answer.read() == b"second"


def test_a_failing_streamed_function_and_a_plain_one_beside_it(app):
    assert app.request("GET", "/api/fails").status == 500
    assert "ValueError: no answer" in app.log
    assert app.request("GET", "/api/plain").body == b"plain"


def test_functions_are_given_clients_of_the_storage_sdk(app, storage_connection):
    container = BlobServiceClient.from_connection_string(storage_connection).get_container_client("clients")
    container.upload_blob("a.txt", b"abc")
    assert app.request("GET", "/api/names").body == b"a.txt"
    deadline = time.monotonic() + 20
    while "uploaded a.txt: b'abc'" not in app.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)
