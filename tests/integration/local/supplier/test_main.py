"""The supplier as users start it."""

import signal

import httpx

from local.processes import free_port
from local.testing import command
from tests.present import present


def _start(*flags):
    return command("local.supplier", *flags)


def test_it_says_ready_serves_and_stops():
    port = free_port()
    flags = ("--port", str(port), "--diamonds", "70", "--fault", "throttle:1:2", "--seed", "9")
    with _start(*flags) as process:
        assert present(process.stdout).readline() == f"ready http://127.0.0.1:{port}/graphql 70 diamonds\n"
        assert httpx.get(f"http://127.0.0.1:{port}/health").json() == {"status": "ok", "diamonds": 70}
        throttled = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ diamonds_by_query_count }"})
        assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "2")
        with _start("--port", str(port), "--diamonds", "70") as second:
            assert second.communicate(timeout=20)[1] == f"Port {port} is in use. Stop what uses it or pass --port.\n"
            assert second.returncode == 1
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_an_unknown_fault_names_those_there_are():
    with _start("--fault", "explode") as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "short_pages" in errors
