import shutil

from local.host.testing import InProcessHost


def test_an_asgi_app_with_its_lifespan(apps, tmp_path):
    stopped = tmp_path / "stopped"
    with InProcessHost(apps / "asgi", settings={"ASGI_STOPPED": str(stopped)}) as app:
        answer = app.request("POST", "/hello/you%20all?a=1", b"text")
        assert answer.json() == {
            "path": "/hello/you all", "name": "you all", "query": {"a": "1"}, "body": "text",
            "started": True, "function": "http_app_func",
        }  # fmt: skip
        assert answer.headers["x-asgi"] == "yes"
        assert app.request("GET", "/").json()["path"] == "/"
        assert app.request("GET", "/admin/host/page").status == 200
        assert app.request("GET", "/no/such").status == 404
    assert stopped.read_text() == "stopped"


def test_a_wsgi_app(apps):
    with InProcessHost(apps / "wsgi") as app:
        answer = app.request("PUT", "/a/b?c=d", b"body")
    assert (answer.status, answer.body) == (200, b"PUT /a/b c=d body")
    assert answer.headers["x-wsgi"] == "yes"


def test_an_asgi_app_with_a_route_prefix_is_refused_with_the_remedy(apps, tmp_path):
    shutil.copytree(apps / "asgi", tmp_path / "app")
    (tmp_path / "app" / "host.json").write_text('{"version": "2.0"}')
    with InProcessHost(tmp_path / "app") as app:
        (error,) = app.host.app.table.errors
        assert app.request("GET", "/admin/host/status").json()["functionErrors"] == {error.name: error.reason}
    assert error.name == "http_app_func"
    assert "need 'extensions.http.routePrefix' to be \"\" in host.json" in error.reason
