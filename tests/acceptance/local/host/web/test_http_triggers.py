import socket

import pytest

from local.host.testing import InProcessHost


@pytest.fixture(scope="module")
def app(apps):
    with InProcessHost(apps / "http") as host:
        yield host


@pytest.fixture(scope="module")
def locked(apps):
    with InProcessHost(apps / "http", enable_auth=True) as host:
        yield host


def get(app, path, **more):
    return app.request("GET", path, **more)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/items", {}),
        ("/api/items/", {}),
        ("/api/items/5", {"id": "5"}),
        ("/API/Items/05", {"id": "05"}),
        ("/api/files", {}),
        ("/api/files/a/b%20c/d.txt", {"path": "a/b c/d.txt"}),
        ("/api/sizes", {"size": "5"}),
        ("/api/sizes/9", {"size": "9"}),
    ],
)
def test_routes_give_their_parameters_as_text(app, path, route):
    assert get(app, path).json()["route"] == route


@pytest.mark.parametrize(
    "path", ["/api/items/abc", "/api/items/5/6", "/api/sizes/10", "/api/nothing", "/items", "/api"]
)
def test_what_no_route_fits_is_an_empty_404(app, path):
    answer = get(app, path)
    assert (answer.status, answer.body) == (404, b"")


def test_a_wrong_method_is_no_match_and_never_405(app):
    assert get(app, "/api/only-post").status == 404
    assert app.request("DELETE", "/api/items/5").status == 404
    assert app.request("POST", "/api/only-post").body == b"posted"


def test_routes_are_tried_by_function_name_and_not_by_how_specific_they_are(app):
    assert get(app, "/api/exact/by-name").body == b"a_first"


def test_head_is_answered_without_a_body_where_it_is_listed_and_not_elsewhere(app):
    answer = app.request("HEAD", "/api/files/a")
    assert (answer.status, answer.body, answer.headers["x-files"]) == (201, b"", "yes")
    assert app.request("HEAD", "/api/items").status == 404


def test_query_parameters_are_joined_and_empty_ones_vanish_loudly(app):
    answer = get(app, "/api/items?a=1&A=2&b=&c=x%20y&d=%C3%A4")
    assert answer.json()["params"] == {"a": "1,2", "c": "x y", "d": "\u00e4"}
    assert "the query parameter 'b' has no value and is absent for the function" in app.log


def test_url_and_headers_reach_the_function(app):
    answer = get(app, "/api/files/a%20b?x=1%2B1", headers={"X-One": "first", "Host": "shop.example:8080"})
    assert answer.json()["url"] == "http://shop.example:8080/api/files/a%20b?x=1%2B1"
    headers = answer.json()["headers"]
    assert {name: headers[name] for name in headers if name != "x-forwarded-for"} == {"x-one": "first"}


def test_json_bodies_and_their_error(app):
    assert app.request("POST", "/api/json", {"a": [1]}).json() == {"a": [1]}
    answer = app.request("POST", "/api/json", b"{not json")
    assert (answer.status, answer.body) == (400, b"HTTP request does not contain valid JSON data")


def test_form_fields_and_files(app):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xff\x01\r\n--x--\r\n'
    )
    answer = app.request("POST", "/api/form", body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.json() == {"form": {"field": "value"}, "files": {"file": ["a.bin", 3]}}
    answer = app.request(
        "POST", "/api/form", b"a=1&b=2+3", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.json()["form"] == {"a": "1", "b": "2 3"}


def test_binary_bodies_come_and_go_untouched(app):
    data = bytes(range(256)) * 5000
    assert app.request("POST", "/api/bytes", data, headers={"Content-Type": "image/png"}).body == data[::-1]


def test_a_chunked_body_is_empty_as_in_azure_and_the_log_says_so(app):
    with socket.create_connection(("127.0.0.1", app.host.app.port), 10) as connection:
        connection.sendall(
            b"POST /api/items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"5\r\nhello\r\n0\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b'"length": 0' in answer
    assert "was sent a chunked body without Content-Length" in app.log


def test_each_cookie_is_sent(app):
    with socket.create_connection(("127.0.0.1", app.host.app.port), 10) as connection:
        connection.sendall(b"GET /api/cookies HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert "set-cookie: a=1%7C2; domain=; path=; samesite=lax; httponly" in answer
    assert "set-cookie: b=2; max-age=60; domain=; path=/x; secure" in answer


@pytest.mark.parametrize(
    ("kind", "body"),
    [("plain", b"just text"), ("object", b'{\n  "a": [\n    1,\n    2\n  ]\n}'), ("true", b"True"), ("null", b"")],
)
def test_a_str_that_is_json_is_rewritten_as_azure_does(app, kind, body):
    answer = get(app, f"/api/strings/{kind}")
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_rewritten_text_is_told_with_the_remedy(app):
    get(app, "/api/strings/object")
    assert "Function 'strings' returned a str that is JSON" in app.log


def test_a_json_object_with_a_body_is_a_response(app):
    answer = get(app, "/api/strings/response")
    assert (answer.status, answer.body, answer.headers["x-tea"]) == (418, b"made", "pot")


@pytest.mark.parametrize(("kind", "name"), [("none", "NoneType"), ("dict", "dict"), ("bytes", "bytes")])
def test_what_is_no_answer_gives_an_empty_500_with_the_workers_words_in_the_log(app, kind, name):
    answer = get(app, f"/api/wrong/{kind}")
    assert (answer.status, answer.body) == (500, b"")
    assert (
        "TypeError: unable to encode outgoing TypedData: unsupported type "
        f'"<class \'azure.functions.http.HttpResponseConverter\'>" for Python type "{name}"'
    ) in app.log


@pytest.mark.parametrize("path", ["/api/raises", "/api/leaves"])
def test_an_exception_gives_an_empty_500_and_the_host_goes_on(app, path):
    answer = get(app, path)
    assert (answer.status, answer.body) == (500, b"")
    assert get(app, "/api/items").status == 200


def test_the_log_shows_the_failure_with_its_stack(app):
    get(app, "/api/raises")
    assert "about to fail" in app.log
    assert "Executed 'Functions.raises' (Failed, Id=" in app.log
    assert (
        "Exception while executing function: Functions.raises. Result: Failure\nException: LookupError: no such thing"
        in (app.log)
    )
    assert "function_app.py" in app.log


def test_an_answer_by_output_binding(app):
    answer = get(app, "/api/out?set=1")
    assert (answer.status, answer.body) == (202, b"by out")
    assert get(app, "/api/out").status == 204


def test_custom_headers_are_added(app):
    assert get(app, "/api/items").headers["x-everywhere"] == "yes"


def test_a_blueprints_functions_are_there(app):
    assert get(app, "/api/blueprint").body == b"blueprint"


def test_everyone_is_admin_without_enable_auth_so_a_switched_off_function_with_a_key_still_runs(app):
    assert get(app, "/api/level/admin").body == b"admin"
    assert get(app, "/api/off/function").body == b"still here"
    assert get(app, "/api/off/anonymous").status == 404


def test_cors_of_the_local_settings(app):
    origin = {"Origin": "https://two.example", "Access-Control-Request-Method": "PUT"}
    answer = app.request("OPTIONS", "/api/items", headers=origin)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://two.example"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert (
        "access-control-allow-origin" not in get(app, "/api/items", headers={"Origin": "https://evil.example"}).headers
    )


def test_the_root_is_the_hosts_page(app):
    answer = get(app, "/")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_the_host_gives_back_the_process_as_it_was(apps):
    import os
    import sys

    path, environment, modules = list(sys.path), dict(os.environ), sys.modules.get("function_app")
    with InProcessHost(apps / "worker"):
        assert str(apps / "worker") in os.environ.values()
        assert sys.modules["function_app"] is not modules
    assert (sys.path, dict(os.environ), sys.modules.get("function_app")) == (path, environment, modules)


class TestKeys:
    def test_no_key_is_401_without_a_body(self, locked):
        for path in ("/api/level/function", "/api/level/admin", "/admin/host/status", "/admin/functions"):
            answer = get(locked, path)
            assert (answer.status, answer.body) == (401, b""), path

    def test_anonymous_functions_and_ping_need_none(self, locked):
        assert get(locked, "/api/items").status == 200
        assert get(locked, "/admin/host/ping").status == 200

    def test_which_key_opens_what(self, locked):
        keys = locked.host.app.keys
        function, host, master = (
            keys.function_keys("level_function")["default"],
            keys.host_keys()["default"],
            keys.master,
        )
        other, system = keys.function_keys("items")["default"], keys.system_key("durabletask_extension")

        def status(path, key):
            by_header = get(locked, path, headers={"x-functions-key": key}).status
            assert get(locked, f"{path}?code={key}").status == by_header
            return by_header

        assert [status("/api/level/function", key) for key in (function, host, master)] == [200, 200, 200]
        assert [status("/api/level/function", key) for key in (other, system)] == [401, 401]
        assert [status("/api/level/admin", key) for key in (master, host, function)] == [200, 401, 401]
        assert [status("/admin/host/status", key) for key in (master, host)] == [200, 401]

    def test_a_bad_header_beats_a_good_code(self, locked):
        path = f"/api/level/function?code={locked.host.app.keys.master}"
        assert get(locked, path, headers={"x-functions-key": "wrong"}).status == 401

    def test_a_switched_off_function_is_404_but_for_the_admin(self, locked):
        key = locked.host.app.keys.host_keys()["default"]
        assert get(locked, f"/api/off/function?code={key}").status == 404
        assert get(locked, f"/api/off/function?code={locked.host.app.keys.master}").status == 200
        assert get(locked, f"/api/off/anonymous?code={locked.host.app.keys.master}").status == 404

    def test_the_admin_api_tells_the_keys(self, locked):
        master = {"x-functions-key": locked.host.app.keys.master}
        listed = get(locked, "/admin/host/keys", headers=master).json()["keys"]
        assert [one["name"] for one in listed] == ["default"]
        key = get(locked, "/admin/functions/level_function/keys", headers=master).json()["keys"][0]["value"]
        assert get(locked, f"/api/level/function?code={key}").status == 200

    def test_keys_are_readable_by_their_owner_only(self, locked):
        assert locked.host.app.keys.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("sent", ["", "198.51.100.9"])
def test_a_function_learns_from_the_host_where_a_request_came_from(app, sent):
    answer = get(app, "/api/items/5", headers={"X-Forwarded-For": sent} if sent else {})
    forwarded = answer.json()["headers"]["x-forwarded-for"]
    before, _, came_from = forwarded.rpartition(", ")
    assert before == sent
    assert came_from.rpartition(":")[0] == "127.0.0.1"
