import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from local.host.__main__ import main
from local.host.testing import InProcessHost
from local.processes import LOOPBACK


@pytest.fixture(scope="module")
def app(apps):
    with InProcessHost(apps / "durable", settings={"HUB": "Commands"}) as host:
        yield host


def run(app, capsys, *arguments):
    code = main(["durable", arguments[0], "--url", app.url, *arguments[1:]])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_an_instance_is_listed_shown_and_purged(app, capsys):
    instance = app.start_orchestration("chain", [1, 2])
    app.wait_for(instance)
    assert f"{instance}  chain  Completed  " in run(app, capsys, "list")[1]
    assert instance not in run(app, capsys, "list", "--status", "Failed")[1]
    shown = json.loads(run(app, capsys, "get", instance, "--history")[1])
    assert (shown["output"], shown["historyEvents"][-1]["EventType"]) == (3, "ExecutionCompleted")
    assert run(app, capsys, "purge", instance) == (0, f"{instance} and its history were deleted.\n", "")
    assert run(app, capsys, "get", instance) == (1, "", "There is no such instance.\n")


def test_an_event_is_raised_and_an_instance_terminated(app, capsys):
    waits = app.start_orchestration("approval", instance_id="a b-ü")
    app.wait_for(waits, until=lambda found: found.status == "Running")
    assert run(app, capsys, "raise", waits, "approved", "--data", "{")[0] == 1
    code, _, error = run(app, capsys, "raise", waits, "approved", "--data", "nonsense")
    assert (code, "--data must be JSON" in error) == (1, True)
    assert run(app, capsys, "terminate", waits, "--reason", "enough")[0] == 0
    ended = app.wait_for(waits)
    assert (ended.status, ended.output) == ("Terminated", "enough")
    assert run(app, capsys, "raise", waits, "approved") == (1, "", "The instance has ended.\n")


def test_a_status_is_read_in_any_case_and_an_unknown_one_refused(app, capsys):
    instance = app.start_orchestration("chain", [1, 2])
    app.wait_for(instance)
    assert instance in run(app, capsys, "list", "--status", "completed")[1]
    with pytest.raises(SystemExit):
        run(app, capsys, "list", "--status", "Bogus")
    assert "'Bogus' is no status; there are Canceled, Completed" in capsys.readouterr().err


def test_the_scheme_of_the_address_may_be_left_out(app, capsys):
    assert main(["durable", "list", "--url", app.url.removeprefix("http://")]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("url", ["ftp://x", "http://", "", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(capsys, url):
    with pytest.raises(SystemExit):
        main(["durable", "list", "--url", url])
    assert "is no address such as http://127.0.0.1:7071" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["nonsense", "127.0.0.1:port", "http://[::1", "http://127.0.0.1:99999", "http://a b"])
def test_an_address_that_nothing_can_have_is_one_line(capsys, url):
    assert main(["durable", "list", "--url", url]) == 1
    error = capsys.readouterr().err
    assert (error.startswith("No host answers at"), error.count("\n")) == (True, 1)


def test_something_else_than_a_host_is_said(capsys):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'[{"something": "else"}]')

    with HTTPServer((LOOPBACK, 0), Other) as server:
        Thread(target=server.handle_request).start()
        assert main(["durable", "list", "--url", f"http://{LOOPBACK}:{server.server_port}"]) == 1
    assert capsys.readouterr().err.endswith("\nWhat answers there is no host: see --url.\n")


def test_no_host_is_said_with_the_remedy(capsys):
    assert main(["durable", "list", "--url", "http://127.0.0.1:9"]) == 1
    assert "No host answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_with_keys_the_host_asks_for_one(apps, capsys):
    with InProcessHost(apps / "durable", settings={"HUB": "Keys"}, enable_auth=True) as app:
        assert "pass --key" in run(app, capsys, "list")[2]
        key = app.host.app.keys.system_key("durabletask_extension")
        assert run(app, capsys, "list", "--key", key)[0] == 0
