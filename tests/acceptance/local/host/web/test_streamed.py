import shutil
import socket
import urllib.request

import pytest

from local.host.testing import HostDidNotStart, InProcessHost
from local.host.web import bodies


@pytest.fixture
def app(apps):
    with InProcessHost(apps / "streamed") as host:
        yield host


def test_a_streamed_answer_arrives_part_by_part_and_a_streamed_request_is_read_by_the_function(app):
    with urllib.request.urlopen(f"{app.url}/api/parts", timeout=20) as answer:
        assert answer.read(6) == b"first "
        opened = app.request("POST", "/api/open/front?a=1", b"x" * 200_000)
        assert opened.json() == {"door": "front", "query": "1", "size": 200_000}
        assert answer.read() == b"second"


def test_a_failing_streamed_function(app):
    assert app.request("GET", "/api/fails").status == 500
    assert "ValueError: no answer" in app.log


def test_an_exception_of_the_framework_is_its_answer_and_a_failed_run(app):
    answer = app.request("GET", "/api/refuses")
    assert (answer.status, answer.json()) == (418, {"detail": "short and stout"})
    assert next(one.outcome for one in app.invocations if one.function == "refuses") == "Failed"


def test_none_is_no_answer(app):
    assert app.request("GET", "/api/nothing").status == 500
    assert "Function 'nothing' returned None" in app.log


def test_the_trace_of_the_request_reaches_the_function(app):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert app.request("GET", "/api/trace", headers={"traceparent": parent}).json() == {"parent": parent}


def post(app, head, body, answers=4096):
    with socket.create_connection(("127.0.0.1", app.host.app.port), 10) as connection:
        connection.sendall(f"POST /api/counts HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
        return b"".join(iter(lambda: connection.recv(answers), b""))


def test_a_client_that_keeps_a_streamed_body_back_is_closed(app, monkeypatch):
    monkeypatch.setattr(bodies, "_GRACE_SECONDS", 0.2)
    answer = post(app, "Content-Length: 10", b"abc")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert "The body of a request to /api/counts came too slowly" in app.log
    assert post(app, "Content-Length: 3\r\nConnection: close", b"abc").endswith(b'{"size":3}')


def test_a_streamed_body_over_the_limit_is_413(app, monkeypatch):
    monkeypatch.setenv("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000")
    assert post(app, "Content-Length: 1001", b"x" * 1001).startswith(b"HTTP/1.1 413 ")
    assert post(app, "Content-Length: 1000\r\nConnection: close", b"x" * 1000).endswith(b'{"size":1000}')


def test_an_untyped_parameter_is_given_the_web_frameworks_request(app):
    assert app.request("GET", "/api/untyped/7").json() == {"kind": "starlette", "number": "7"}


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (
            "def plain(req: func.HttpRequest):\n    return ''",
            '"httpTrigger" does not match its Python annotation "HttpRequest"',
        ),
        (
            "def plain(req) -> func.HttpResponse:\n    return None",
            'annotation "HttpResponse" does not match binding type "http"',
        ),
    ],
)
def test_an_app_that_mixes_streamed_and_classic_http_is_refused_as_by_the_worker(apps, tmp_path, function, named):
    shutil.copytree(apps / "streamed", tmp_path / "app")
    with (tmp_path / "app" / "function_app.py").open("a") as file:
        file.write(f"\n\n@app.route(route='plain')\n{function}\n")
    with pytest.raises(HostDidNotStart, match=named), InProcessHost(tmp_path / "app"):
        pass


def test_apps_that_follow_one_another_in_one_process_have_modes_of_their_own(apps):
    for _ in range(2):
        with InProcessHost(apps / "streamed") as streamed:
            assert streamed.request("GET", "/api/untyped/1").json()["kind"] == "starlette"
        with InProcessHost(apps / "worker") as classic:
            assert classic.request("GET", "/api/renamed").body == b"renamed"
