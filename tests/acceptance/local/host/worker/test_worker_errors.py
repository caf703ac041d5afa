import pytest

from local.host.testing import InProcessHost

KINDS = {
    "base": "NoException: ",
    "interrupt": "KeyboardInterrupt: ",
    "exit": "SystemExit: ",
    "generator": "GeneratorExit: ",
    "cancelled": "CancelledError: ",
    "unprintable": "Unprintable: Unhandled exception in function. Could not serialize original exception message.",
}


@pytest.fixture(scope="module")
def app(apps):
    with InProcessHost(apps / "errors") as host:
        yield host


@pytest.mark.parametrize("way", ["plain", "async"])
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_function_raises_fails_its_own_run_alone(app, way, kind):
    answer = app.request("GET", f"/api/{way}/{kind}")
    assert (answer.status, answer.body) == (500, b"")
    assert app.invocations[0].outcome == "Failed"
    assert app.invocations[0].error == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_an_activity_raises_reaches_its_orchestrator(app, kind):
    found = app.wait_for(app.start_orchestration("catches", kind))
    assert found.output == f"Activity function 'raises' failed: {KINDS[kind]}".strip()


def test_the_log_shows_an_orchestrators_error_where_it_happened(app):
    app.wait_for(app.start_orchestration("lets_fail", "base"))
    report = app.log.rpartition("Exception while executing function: Functions.lets_fail.")[2]
    exception, stack = report.split("Exception: ", 1)[1].split("\nStack:")
    assert exception == "Exception: Activity function 'raises' failed: NoException:"
    assert 'yield context.call_activity("raises", context.get_input())' in stack
    assert "durable_functions" not in report


@pytest.mark.parametrize("kind", ["base", "interrupt", "exit", "generator"])
def test_what_is_no_exception_fails_its_own_orchestration_alone(app, kind):
    found = app.wait_for(app.start_orchestration("gives_up", kind))
    assert (found.status, found.output) == ("Failed", f"Orchestrator function 'gives_up' failed: {KINDS[kind]}")


def test_a_status_that_cannot_be_sent_is_an_error_of_the_function(app):
    answer = app.request("GET", "/api/status/999")
    assert (answer.status, answer.body) == (500, b"")
    assert "Function 'status' cannot be answered for: the status '999'" in app.log
    assert app.request("GET", "/api/status/enum").status == 201


def test_a_generic_trigger_may_name_its_one_method_as_text(app):
    assert app.request("GET", "/api/generic").body == b"generic"
    assert app.request("POST", "/api/generic", {}).status == 404
