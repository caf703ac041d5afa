"""Starting and stopping the process: what it prints, what it refuses, and how it ends."""

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from local.host.testing import HostDidNotStart, HostProcess

APP = """
import logging, time
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="hello/{name?}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("saying hello")
    return func.HttpResponse("hello, %s" % req.route_params.get("name"))

@app.route(route="slow/{seconds}", trigger_arg_name="the_request")
def slow(the_request: func.HttpRequest) -> func.HttpResponse:
    time.sleep(float(the_request.route_params["seconds"]))
    return func.HttpResponse("slept")

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def yearly(timer: func.TimerRequest) -> None:
    logging.info("happy new year")
"""

UNKNOWN = (
    "cannot load the b function: the following parameters are declared in Python but not in the function definition "
    "(function.json or function decorators):"
)


@pytest.fixture
def folder(tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "function_app.py").write_text(APP)
    (app / "host.json").write_text('{"version": "2.0"}')
    return app


@pytest.fixture
def process(folder, tmp_path):
    started = []

    def start(*arguments, **environment):
        host = HostProcess(folder, tmp_path / "data", arguments, environment)
        started.append(host)
        return host.start()

    yield start
    for host in started:
        host.kill()


def ask_in_vain(host, path):
    """Send a request that the end of the host will cut off."""

    def ask():
        with contextlib.suppress(OSError):
            host.request("GET", path)

    threading.Thread(target=ask, daemon=True).start()


def refusal(process, *arguments, **environment):
    with pytest.raises(HostDidNotStart) as failed:
        process(*arguments, **environment)
    text = str(failed.value)
    assert "Traceback" not in text
    return text


def test_it_prints_what_func_start_prints(process):
    host = process()
    printed = "\n".join(host.output)
    assert "Azure Functions Core Tools" in printed
    assert "Function Runtime Version: " in printed
    assert f"\nFunctions:\n\n\thello: [GET,POST] http://localhost:{host.port}/api/hello/{{name?}}\n\n" in printed
    assert "\n\tyearly: timerTrigger\n" in printed
    assert f"ready http://localhost:{host.port}" in printed


def test_one_line_a_run_with_duration_and_outcome(process):
    host = process()
    assert host.request("GET", "/api/hello/you").body == b"hello, you"
    line = host.wait_for_output("Executed 'Functions.hello'")
    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] "
        r"Executed 'Functions\.hello' \(Succeeded, Id=[0-9a-f-]{36}, Duration=\d+ms\)",
        line,
    )
    assert host.wait_for_output("saying hello")


def test_json_logs(process):
    host = process("--json")
    host.request("GET", "/api/hello/you")
    host.wait_for_output("Executed 'Functions.hello'")
    entries = [json.loads(line) for line in host.output if line.startswith("{")]
    (executed,) = [one for one in entries if one["message"].startswith("Executed")]
    assert (executed["level"], executed["category"], executed["function"]) == ("info", "Function.hello", "hello")
    assert executed["outcome"] == "Succeeded"
    assert executed["durationMs"] >= 0
    (user,) = [one for one in entries if one["message"] == "saying hello"]
    assert (user["category"], user["invocationId"]) == ("Function.hello.User", executed["invocationId"])


def test_json_logs_hold_the_start_and_its_errors(process, folder):
    bad = "@app.route(route='admin/x')\ndef z_bad(req): ...\n"
    (folder / "function_app.py").write_text(f"{APP}\n{bad}")
    host = process("--json", "--reload")
    (ready,) = [line for line in host.output if not line.startswith("{")]
    assert ready == f"ready http://localhost:{host.port}"
    entries = [json.loads(line) for line in host.output if line.startswith("{")]
    assert any(one["message"] == "yearly: timerTrigger" for one in entries)
    (error,) = [one["message"] for one in entries if one["level"] == "error"]
    assert error.startswith("The 'z_bad' function is in error: The specified route conflicts")
    (folder / "function_app.py").write_text("raise ValueError('half written')")
    line = json.loads(host.wait_for_output("Worker failed to index functions"))
    assert line["level"] == "error"
    assert "half written" in line["message"]


@pytest.mark.parametrize("what", ["no folder", "host.json", "port"])
def test_with_json_a_refused_start_is_a_record_too(process, folder, what):
    arguments = ["--json", *(["--port", "99999"] if what == "port" else [])]
    if what == "no folder":
        shutil.rmtree(folder)
    if what == "host.json":
        (folder / "host.json").write_text("{}")
    *_, last = map(json.loads, refusal(process, *arguments).splitlines())
    assert last["level"] == "error"
    expected = {
        "no folder": "is not a folder",
        "host.json": "missing the required 'version'",
        "port": "The port must be a number from 0 (for any) to 65535, not 99999.",
    }
    assert expected[what] in last["message"]


def test_a_level_that_is_none_is_refused(process):
    assert "argument --user-log-level: invalid choice: 'bogus'" in refusal(process, "--user-log-level", "Bogus")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_function_ends_before_the_host_does(process, number):
    host = process()
    answers = []
    caller = threading.Thread(target=lambda: answers.append(host.request("GET", "/api/slow/1").body))
    caller.start()
    host.wait_for_output("Executing 'Functions.slow'")
    host._process.send_signal(number)
    assert host._process.wait(20) == 0
    caller.join()
    assert answers == [b"slept"]


def test_a_function_that_does_not_end_is_left_after_the_grace_period(process):
    host = process("--grace", "0.2")
    ask_in_vain(host, "/api/slow/60")
    host.wait_for_output("Executing 'Functions.slow'")
    began = time.monotonic()
    assert host.stop() == 0
    assert time.monotonic() - began < 10
    assert "1 function runs did not end within the grace period" in "\n".join(host.output)


def test_code_that_blocks_the_loop_is_told_of_and_cannot_keep_the_host_from_stopping(process, folder):
    blocks = (
        "@app.route(route='block')\nasync def block(req: func.HttpRequest) -> func.HttpResponse:\n    time.sleep(60)\n"
    )
    (folder / "function_app.py").write_text(f"{APP}\n{blocks}")
    host = process("--grace", "0.1")
    ask_in_vain(host, "/api/block")
    host.wait_for_output("The host has stood still for 5 s: code on its loop blocks.")
    host.wait_for_output("in block")
    host._process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    host._process.send_signal(signal.SIGTERM)
    assert host._process.wait(5) == 130


def test_a_busy_port_is_one_clear_line(process):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = refusal(process, "--port", str(port))
    assert (
        f"Port {port} is unavailable. Close the process using that port, or specify another port using --port [-p]."
        in text
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{}", "The host.json file is missing the required 'version' property."),
        ('{"version": "3.0"}', "'3.0' is an invalid value for host.json 'version' property."),
        ("{nope", "Unable to parse host configuration file"),
        ('{"version": "2.0", "functionTimeout": "00:00:00"}', "FunctionTimeout must be greater than 00:00:01"),
    ],
)
def test_a_wrong_host_json_is_one_clear_line(process, folder, content, text):
    (folder / "host.json").write_text(content)
    assert text in refusal(process)


def test_what_nothing_reads_of_host_json_is_told_of_and_functions_limits_what_runs(process, folder):
    (folder / "host.json").write_text(
        '\ufeff{"version": "2.0", "functions": ["hello"], "routePrefix": "", // misplaced\n'
        '"extensions": {"HTTP": {"routeprefix": "v1"}, "queues": {"batchSizes": 1}, "cosmosDB": {"a": 1},}}'
    )
    host = process()
    host.wait_for_output(
        "host.json: this host does not read routePrefix, extensions.queues.batchSizes, extensions.cosmosDB.a."
    )
    assert host.request("GET", "/v1/hello").status == 200
    assert [one["name"] for one in host.request("GET", "/admin/functions").json()] == ["hello"]


def test_encrypted_local_settings_are_refused_with_the_remedy(process, folder):
    (folder / "local.settings.json").write_text('{"Values": {}}')
    text = refusal(process)
    assert "Failed to decrypt settings." in text
    assert '"IsEncrypted": false' in text


def test_the_environment_beats_local_settings_and_the_host_says_so(process, folder):
    (folder / "local.settings.json").write_text('{"IsEncrypted": false, "Values": {"A_SETTING": "from file"}}')
    host = process(A_SETTING="from outside")
    host.wait_for_output(
        "Skipping 'A_SETTING' from local settings as it's already defined in current environment variables."
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("x = 1", "Could not find top level function app instances in function_app.py."),
        (
            f"{APP}\nother = func.FunctionApp()",
            "More than one FunctionApp or other top level function app instances are defined.",
        ),
        ("import no_such_module", "Cannot find module. Please check the requirements.txt file"),
        (f"{APP}\ndef hello(", "SyntaxError"),
        (
            f"{APP}\n@app.function_name('hello')\n@app.route(route='b')\ndef b(req): ...",
            "Function hello does not have a unique function name.",
        ),
        (f"{APP}\n@app.queue_output('a', 'q', 'c')\ndef b(a): ...", "Function b does not have a trigger."),
        (f"{APP}\n@app.route(route='b')\ndef b(req, other): ...", f"{UNKNOWN}  {{'other'}}"),
        (f"{APP}\n@app.route(route='b')\ndef b(wrong): ...", f"{UNKNOWN}  {{'wrong'}}"),
        (
            f"{APP}\n@app.route(route='b')\ndef b(req: func.TimerRequest): ...",
            (
                "type of req binding in function definition (function.json or function decorators) "
                '"httpTrigger" does not match its Python annotation "TimerRequest"'
            ),
        ),
    ],
)
def test_an_app_that_cannot_load_says_why_and_the_host_stays_up(process, folder, code, text):
    (folder / "function_app.py").write_text(code)
    host = process()
    printed = "\n".join(host.output)
    assert "Worker failed to index functions" in printed
    assert text in printed
    assert "No function runs until this is put right" in printed
    assert host.request("GET", "/api/hello").status == 404
    status = host.request("GET", "/admin/host/status").json()
    assert status["state"] == "Error"
    assert text in status["errors"][0]


@pytest.mark.parametrize(
    ("decorator", "parameter", "reason"),
    [
        ("@app.route(route='admin/x')", "req", "The specified route conflicts with one or more built in routes."),
        ("@app.route(route='Runtimes')", "req", "The specified route conflicts with one or more built in routes."),
        (
            "@app.route(route='Hello/{name?}', methods=['POST'])",
            "req",
            "The route specified conflicts with the route defined by function",
        ),
        ("@app.route(route='{id:nonsense}')", "req", "The constraint reference 'nonsense' could not be resolved"),
        ("@app.route(route='ok', trigger_arg_name='my__req')", "my__req", "The binding name my__req is invalid."),
        (
            "@app.queue_output(arg_name='$return', queue_name='q', connection='')\n@app.route(route='ok')",
            "req",
            "Multiple bindings with the same name discovered",
        ),
        ("@app.function_name('host')\n@app.route(route='ok')", "req", "'host' is not a valid function name."),
        ("@app.timer_trigger(arg_name='t', schedule='%MISSING%')", "t", "'%MISSING%' does not resolve to a value."),
    ],
)
def test_a_function_that_the_host_refuses_is_named_with_its_reason_and_the_others_run(
    process, folder, decorator, parameter, reason
):
    (folder / "function_app.py").write_text(f"{APP}\n{decorator}\ndef z_bad({parameter}): ...\n")
    host = process()
    name = "host" if "function_name" in decorator else "z_bad"
    assert f"The '{name}' function is in error: {reason}" in "\n".join(host.output)
    assert host.request("GET", "/api/hello").status == 200
    assert reason in host.request("GET", f"/admin/functions/{name}/status").json()["errors"][0]


def test_a_function_with_a_binding_that_is_not_supported_is_named_and_the_others_run(process, folder):
    code = (
        "@app.cosmos_db_trigger(arg_name='docs', container_name='c', database_name='d', connection='x')\n"
        "def changed(docs): ...\n"
        "@app.event_hub_output(arg_name='out', event_hub_name='h', connection='x')\n@app.route(route='e')\n"
        "def emit(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse: ...\n"
    )
    (folder / "function_app.py").write_text(f"{APP}\n{code}")
    host = process()
    text = "\n".join(host.output)
    assert "The 'changed' function is in error: It has the binding 'docs' of type cosmosDBTrigger" in text
    assert "The 'emit' function is in error: It has the binding 'out' of type eventHub" in text
    assert host.request("GET", "/api/hello").status == 200
    assert host.request("GET", "/api/e").status == 404
    host.stop()
    only = process("--functions", "hello", "YEARLY")
    assert [one["name"] for one in only.request("GET", "/admin/functions").json()] == ["hello", "yearly"]


def test_a_switched_off_function_is_shown(process):
    host = process(**{"AzureWebJobs.yearly.Disabled": "true"})
    host.wait_for_output("Function yearly is disabled.")


def test_no_functions_are_never_silent(process, folder):
    (folder / "function_app.py").write_text("import azure.functions as func\napp = func.FunctionApp()\n")
    process().wait_for_output("The app has no function")


def test_nothing_is_needed_of_storage_when_no_binding_needs_it(process):
    host = process(AzureWebJobsStorage="")
    assert host.request("GET", "/api/hello").status == 200


def test_a_reload_takes_new_code_and_keeps_the_process(process, folder):
    host = process("--reload")
    pid = host.pid
    (folder / "function_app.py").write_text(APP.replace("hello, ", "good day, "))
    host.wait_for_output("function_app.py changed: loading the functions anew.")
    deadline = time.monotonic() + 10
    while host.request("GET", "/api/hello/you").body != b"good day, you":
        assert time.monotonic() < deadline
    assert host.pid == pid


def test_a_reload_with_an_error_tells_it_and_the_next_one_mends_it(process, folder):
    host = process("--reload")
    (folder / "function_app.py").write_text(APP + "\nraise ValueError('half written')\n")
    host.wait_for_output("ValueError: half written")
    assert host.request("GET", "/api/hello/you").status == 404
    (folder / "function_app.py").write_text(APP)
    deadline = time.monotonic() + 10
    while host.request("GET", "/api/hello/you").status != 200:
        assert time.monotonic() < deadline


def test_a_data_folder_that_cannot_be_is_one_clear_line(folder):
    with pytest.raises(HostDidNotStart, match="Pass --data with a folder that can be written"):
        HostProcess(folder, folder / "function_app.py" / "data").start()


def test_a_folder_that_is_not_there(process, folder):
    shutil.rmtree(folder)
    assert "is not a folder. Pass the folder that holds function_app.py." in refusal(process)


def test_packages_of_the_app_are_not_hidden_by_those_of_this_project(apps, tmp_path):
    with HostProcess(apps / "packages", tmp_path) as host:
        assert host.request("GET", "/api/names").body == b"hello thing model late"


def test_an_app_that_configures_logging_does_not_silence_the_host(apps, tmp_path):
    with HostProcess(apps / "logging", tmp_path) as host:
        assert host.request("GET", "/api/fails").status == 500
        host.wait_for_output("OWN about to fail")
        host.wait_for_output("Executed 'Functions.fails' (Failed")
        host.wait_for_output("ValueError: still seen")
        assert host.request("GET", "/api/silences").body == b"silent"
        host.wait_for_output("Executed 'Functions.silences' (Succeeded")
        host.request("GET", "/api/fails")
        host.stop()
    assert sum("ValueError: still seen" in line for line in host.output) == 2


def test_settings_of_the_file_override_host_json_for_the_log_too(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "function_app.py").write_text(APP)
    values = {"AzureFunctionsJobHost__logging__logLevel__default": "Warning"}
    (tmp_path / "app" / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    with HostProcess(tmp_path / "app", tmp_path / "data") as host:
        assert host.request("GET", "/api/hello/you").status == 200
        host.stop()
    assert not any("Executing 'Functions.hello'" in line for line in host.output)


def test_the_users_log_level_may_come_from_the_environment_as_with_core_tools(apps, tmp_path):
    with HostProcess(apps / "logging", tmp_path, environment={"FUNCTIONS_USER_LOG_LEVEL": "Error"}) as host:
        host.request("GET", "/api/fails")
        host.wait_for_output("ValueError: still seen")
        host.stop()
    assert not any("Executing 'Functions.fails'" in line for line in host.output)


def test_an_app_that_applies_nest_asyncio_at_its_load_runs(tmp_path):
    (tmp_path / "app").mkdir()
    packages = tmp_path / "app" / ".python_packages" / "lib" / "site-packages"
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "pip", "install", "--quiet", "--system-certs", "--target", str(packages), "nest_asyncio==1.6.0"]
    subprocess.run(command, check=True, timeout=120)
    (tmp_path / "app" / "function_app.py").write_text("import nest_asyncio\nnest_asyncio.apply()\n" + APP)
    with HostProcess(tmp_path / "app", tmp_path / "data") as host:
        assert host.request("GET", "/api/hello/you").body == b"hello, you"
