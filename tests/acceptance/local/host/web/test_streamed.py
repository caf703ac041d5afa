import shutil
import urllib.request

import pytest

from local.host.testing import HostDidNotStart, InProcessHost


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
