from concurrent.futures import ThreadPoolExecutor

import pytest

from local.host.core import logs
from local.host.testing import InProcessHost


@pytest.fixture(scope="module")
def app(apps):
    with InProcessHost(apps / "worker", settings={"PYTHON_THREADPOOL_THREAD_COUNT": "3"}) as host:
        yield host


def test_context_of_an_invocation(app, apps):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    shown = app.request("GET", "/api/context", headers={"traceparent": trace}).json()
    assert shown["function_name"] == "show_context"
    assert shown["function_directory"] == str(apps / "worker")
    assert shown["trace_parent"] == shown["old_trace_parent"] == trace
    assert shown["retry"] == [0, 0]
    assert shown["local"] == shown["invocation_id"] == app.invocations[0].id
    assert shown["thread"].startswith("function")


def test_plain_functions_run_on_that_many_threads_at_once(app):
    with ThreadPoolExecutor(3) as threads:
        answers = [one.result() for one in [threads.submit(app.request, "GET", "/api/meet") for _ in range(3)]]
    assert [one.status for one in answers] == [200, 200, 200]


def test_async_functions_run_on_the_loop_together(app):
    with ThreadPoolExecutor(8) as threads:
        answers = [one.result() for one in [threads.submit(app.request, "GET", "/api/sleep/0.2") for _ in range(8)]]
    assert {one.body for one in answers} == {b"local.host"}


@pytest.mark.parametrize("kind", ["sleep", "block"])
def test_a_function_over_its_time_limit_is_ended(app, kind):
    answer = app.request("GET", f"/api/{kind}/3")
    assert (answer.status, answer.body) == (500, b"")
    assert (
        f"Timeout value of 00:00:01 exceeded by function 'Functions.sleep_{'async' if kind == 'sleep' else 'thread'}'"
        in app.log
    )
    assert app.request("GET", "/api/context").status == 200


def test_a_retry_policy_makes_an_http_client_wait(app):
    answer = app.request("GET", "/api/retried?key=a&failures=2")
    assert answer.json() == [
        [0, 2, "", False],
        [1, 2, "ValueError: attempt 1", False],
        [2, 2, "ValueError: attempt 2", False],
    ]


def test_a_retry_policy_ends(app):
    assert app.request("GET", "/api/retried?key=b&failures=9").status == 500
    assert "Function execution failed after '2' retries." in app.log


def test_every_attempt_has_an_invocation_id_of_its_own(app):
    app.request("GET", "/api/retried?key=c&failures=2")
    ids = [one.id for one in app.invocations[:3]]
    assert len(set(ids)) == 3
    assert [one.outcome for one in app.invocations[:3]] == ["Succeeded", "Failed", "Failed"]


def test_logs_of_functions_from_information_on(app):
    app.request("GET", "/api/logs")
    assert "an information line" in app.log
    assert "a warning line" in app.log
    assert "a debug line" not in app.log
    assert "a system line" not in app.log


def test_a_value_returned_without_a_binding_fails_in_the_workers_words(app):
    app.call("returns_too_much")
    app.settle()
    assert "RuntimeError: function 'returns_too_much' without a $return bindingreturned a non-None value" in app.log


def test_a_function_may_have_another_name_than_its_code(app):
    assert app.request("GET", "/api/renamed").body == b"renamed"
    assert app.invocations[0].function == "Renamed-1"


def test_threads_of_a_function_log_for_it_when_they_say_so(app):
    app.request("GET", "/api/thread-logs")
    assert "from a thread that says whose it is: True" in app.log
    assert "from a thread that says whose it is: False" not in app.log


def test_a_warmup_function_runs_when_it_is_asked_for_and_once(app):
    assert app.request("GET", "/admin/functions/warm").status == 200
    assert all(one.function != "warm" for one in app.invocations)
    assert [app.request("GET", "/admin/warmup").status for _ in range(2)] == [200, 200]
    assert [one.outcome for one in app.invocations if one.function == "warm"] == ["Succeeded"]


def test_a_pools_thread_logs_for_a_function_only_when_it_says_so_as_in_azure(app, monkeypatch):
    monkeypatch.setattr(logs, "_CONTEXT_FOLLOWS", (99, 0))
    app.request("GET", "/api/pool-logs")
    assert "from the pool, which says whose it is: True" in app.log
    assert "from a task of the function" in app.log
    assert "from the pool, which says whose it is: False" not in app.log
    assert app.log.count("Function 'log_from_pool' logs on a thread that does not say whose it is") == 1


def test_from_python_3_13_on_a_pools_thread_logs_for_its_function(app, monkeypatch):
    monkeypatch.setattr(logs, "_CONTEXT_FOLLOWS", (3, 0))
    app.request("GET", "/api/pool-logs")
    assert "from the pool, which says whose it is: False" in app.log
