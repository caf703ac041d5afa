import json
import shutil
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.host.core.clock import ManualClock
from local.host.testing import HostProcess, InProcessHost
from tests.present import present

SETTINGS = {"HUB": "ShopHub"}
WEBHOOK = "/runtime/webhooks/durabletask"


@pytest.fixture(scope="module")
def app(apps):
    with InProcessHost(apps / "durable", settings=SETTINGS) as host:
        yield host


def test_the_client_starts_and_the_chain_runs(app):
    answer = app.request("POST", "/api/start/chain", [1, 2, 3])
    assert answer.status == 202
    links = answer.json()
    assert links["statusQueryGetUri"].startswith(f"http://127.0.0.1:{app.host.app.port}{WEBHOOK}/instances/")
    assert "taskHub=ShopHub" in links["statusQueryGetUri"]
    found = app.wait_for(links["id"])
    assert (found.status, found.output) == ("Completed", 6)
    assert [one["EventType"] for one in found.history] == [
        "ExecutionStarted", "TaskCompleted", "TaskCompleted", "TaskCompleted", "ExecutionCompleted",
    ]  # fmt: skip


def test_the_links_of_a_start_work_as_they_stand(app):
    links = app.request("POST", "/api/start/approval").json()
    assert app.request("GET", links["statusQueryGetUri"]).status == 202
    event = links["sendEventPostUri"].replace("{eventName}", "approved")
    assert app.request("POST", event, {"by": "me"}).status == 202
    assert app.wait_for(links["id"]).output == "approved"


def test_waiting_for_the_end_in_one_request(app):
    answer = app.request("POST", "/api/wait/chain", [4, 5])
    assert (answer.status, answer.json()) == (200, 9)


def test_a_failing_activity_fails_the_orchestration_with_its_reason(app):
    found = app.wait_for(app.start_orchestration("fails"))
    assert found.status == "Failed"
    assert "the activity says no" in found.output


def test_entities_count(app):
    assert app.wait_for(app.start_orchestration("count_to", 5)).output == 5
    assert app.request("GET", f"{WEBHOOK}/entities/counter/main").json() == 5


def test_what_would_hang_in_silence_is_explained(app):
    instance = app.start_orchestration("asks_for_what_is_not_there")
    app.wait_for(instance, until=lambda found: found.status == "Running")
    app.settle()
    (reason,) = app.request("GET", f"/admin/host/diagnosis/{instance}").json()
    assert "no_such_activity" in reason


def test_log_lines_carry_the_instance(app):
    instance = app.start_orchestration("chain", [1])
    app.wait_for(instance)
    assert f"InstanceId={instance})" in app.log
    assert "adding [0, 1]" in app.log


def test_an_activity_can_be_run_by_hand(app):
    app.call("add_two", "[20, 22]")
    app.settle()
    assert "adding [20, 22]" in app.log


def test_the_webhook_needs_its_key_under_enable_auth_and_the_client_works_all_the_same(apps, tmp_path):
    with HostProcess(apps / "durable", tmp_path, ["--enable-auth"], SETTINGS) as app:
        app.wait_for_output("Keys are required")
        links = app.request("POST", "/api/start/chain", [1]).json()
        instance, keys = links["id"], json.loads((tmp_path / "keys.json").read_text())
        key, host_key = keys["system"]["durabletask_extension"], keys["host"]["default"]
        assert app.request("GET", f"{WEBHOOK}/instances/{instance}").status == 401
        assert app.request("GET", f"{WEBHOOK}/instances/{instance}?code={key}").status in {200, 202}
        assert app.request("GET", links["statusQueryGetUri"]).status in {200, 202}
        assert app.request("GET", f"{WEBHOOK}/instances/{instance}?code={host_key}").status == 401
        assert app.request("GET", "/runtime/webhooks/other").status == 404


def test_a_durable_timer_fires_when_the_test_moves_the_clock(apps):
    clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
    with InProcessHost(apps / "durable", settings=SETTINGS, clock=clock) as app:
        instance = app.start_orchestration("approval")
        app.advance(hours=47)
        assert present(app.orchestration(instance)).status == "Running"
        app.advance(hours=1)
        assert app.wait_for(instance).output == "escalated"


class _Slow(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.2)  # longer than anything that a host does by itself before it is quiet
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"an answer")

    def log_message(self, format, *args):  # noqa: A002 - http.server's name
        """Nothing."""


def test_the_clock_waits_for_a_call_http(apps):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server, InProcessHost(apps / "durable", settings=SETTINGS, clock=ManualClock()) as app:
        instance = app.start_orchestration("calls_out_and_waits", f"http://127.0.0.1:{server.server_port}/")
        app.advance(hours=2)
        assert present(app.orchestration(instance)).output == "an answer"
        server.shutdown()


def test_a_killed_host_resumes_and_says_so(apps, tmp_path):
    with HostProcess(apps / "durable", tmp_path, environment=SETTINGS) as host:
        waiting = host.start_orchestration("approval")
        host.wait_for(waiting, until=lambda found: found.status == "Running")
        host.kill()
        host.start()
        assert "1 orchestrations, 0 activities, 1 timers, 0 entities" in host.wait_for_output("Resumed from")
        host.raise_event(waiting, "approved")
        assert host.wait_for(waiting).output == "approved"
        host.call("add_two", "[4, 5]")
        host.wait_for_output("adding [4, 5]")
        assert host.stop() == 0


def test_two_hosts_on_one_data_folder_are_refused_with_the_remedy(apps, tmp_path):
    with HostProcess(apps / "durable", tmp_path, environment=SETTINGS):
        second = HostProcess(apps / "durable", tmp_path, environment=SETTINGS)
        with pytest.raises(Exception, match="pass --data with another folder"):
            second.start()


def test_a_reload_keeps_orchestrations_and_gives_them_the_new_code(apps, tmp_path):
    shutil.copytree(apps / "durable", tmp_path / "app")
    code = tmp_path / "app" / "function_app.py"
    with HostProcess(tmp_path / "app", tmp_path / "data", ["--reload"], SETTINGS) as host:
        waiting = host.start_orchestration("approval")
        host.wait_for(waiting, until=lambda found: found.status == "Running")
        code.write_text(code.read_text().replace('return "approved"', 'return "approved by the new code"'))
        host.wait_for_output("function_app.py changed: loading the functions anew.")
        deadline = time.monotonic() + 10
        while sum("chain: orchestrationTrigger" in line for line in list(host.output)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        code.write_text(code.read_text() + "\nthis is half writ")
        host.wait_for_output("Worker failed to index functions")
        host.raise_event(waiting, "approved")
        assert host.wait_for(waiting).output == "approved by the new code"
