import io
import json
import logging
from types import MappingProxyType

import pytest

from local.host.core.logs import (
    HostLogHandler,
    InvocationTag,
    LogLevels,
    active_invocations,
    current_invocation,
    in_function,
    install,
    thread_local,
    uninstall,
)


@pytest.fixture
def logged():
    handlers = []

    def start(levels=None, environment=MappingProxyType({}), **options):
        stream, parsed = io.StringIO(), LogLevels.parse(levels or {}, options.pop("user_level", None))
        handler = HostLogHandler(stream, parsed, as_json=options.pop("as_json", False), **options)
        install(handler, parsed, environment)
        handlers.append(handler)
        return stream

    root = logging.getLogger()
    before = root.level
    yield start
    for handler in handlers:
        uninstall(handler)
    root.setLevel(before)


@pytest.fixture
def in_function_run():
    tag = InvocationTag("tidy", "id-1", "instance-1")
    token = current_invocation.set(tag)
    active_invocations[tag.invocation_id] = tag
    thread_local.invocation_id = tag.invocation_id
    yield
    thread_local.invocation_id = None
    active_invocations.pop(tag.invocation_id, None)
    current_invocation.reset(token)


@pytest.mark.parametrize(
    ("section", "category", "level"),
    [
        ({}, "Function.tidy.User", logging.INFO),
        ({"default": "Error"}, "Function.tidy.User", logging.ERROR),
        ({"default": "Error", "Function": "Debug"}, "Function.tidy.User", logging.DEBUG),
        ({"Function": "Debug", "Function.tidy": "Warning"}, "Function.tidy.User", logging.WARNING),
        ({"Function.tidy.User": "None"}, "Function.tidy.User", logging.CRITICAL + 1),
        ({"Function.other": "Error"}, "Function.tidy", logging.INFO),
        ({"default": "nonsense"}, "Host", logging.INFO),
    ],
)
def test_the_most_specific_category_decides(section, category, level):
    assert LogLevels.parse(section).of(category) == level


def test_requests_of_a_function_are_shown_and_those_of_the_host_for_it_are_not(logged, in_function_run, caplog):
    stream = logged()
    requests = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
    caplog.set_level(logging.NOTSET, logger=requests.name)  # which the app raises where it uses the blobs
    requests.info("of the host")
    token = in_function.set(True)
    requests.info("of the function")
    in_function.reset(token)
    requests.warning("of the host, in trouble")
    assert [line.split("] ")[1] for line in stream.getvalue().splitlines()] == [
        "of the function",
        "of the host, in trouble",
    ]


def test_what_a_run_leaves_behind_belongs_to_no_run(logged, in_function_run):
    stream = logged(as_json=True)
    active_invocations.clear()
    logging.getLogger("mine").info("after the end")
    logging.getLogger("mine").warning("worth a look")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "worth a look"
    assert "function" not in json.loads(line)


def test_what_is_shown_of_functions_the_host_and_libraries(logged, in_function_run):
    stream = logged()
    logging.getLogger("mine").info("of the function")
    logging.getLogger("mine").debug("too fine")
    logging.getLogger("azure.functions.x").info("of the library")
    logging.getLogger("local.host").info("of the host")
    assert [line.split("] ")[1] for line in stream.getvalue().splitlines()] == ["of the function", "of the host"]


def test_libraries_outside_functions_are_shown_from_warnings_on(logged):
    stream = logged()
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble")
    assert "chatter" not in stream.getvalue()
    assert "trouble" in stream.getvalue()


def test_host_json_can_silence_function_runs(logged, in_function_run):
    stream = logged({"default": "Warning"})
    logging.getLogger("local.host").info("Executing")
    logging.getLogger("local.host").error("Executed (Failed)")
    assert "Executing" not in stream.getvalue()
    assert "Executed (Failed)" in stream.getvalue()


def test_the_command_lines_level_wins_for_functions(logged, in_function_run):
    stream = logged({"Function": "Error"}, user_level="debug")
    logging.getLogger("mine").debug("fine")
    assert "fine" in stream.getvalue()


def test_json_lines_carry_what_they_belong_to(logged, in_function_run):
    stream = logged(as_json=True)
    logging.getLogger("mine").error("failed %s", "so", exc_info=ValueError("no"))
    entry = json.loads(stream.getvalue())
    assert entry["message"] == "failed so"
    assert entry["level"] == "error"
    assert entry["category"] == "Function.tidy.User"
    assert (entry["function"], entry["invocationId"], entry["instanceId"]) == ("tidy", "id-1", "instance-1")
    assert "ValueError: no" in entry["exception"]


def test_debug_of_functions_needs_the_workers_setting_and_the_log_says_so(logged, in_function_run):
    stream = logged({"Function": "Debug"})
    logging.getLogger("mine").debug("fine")
    assert logging.getLogger().level == logging.INFO
    assert "set PYTHON_ENABLE_DEBUG_LOGGING=1" in stream.getvalue()
    assert "] fine" not in stream.getvalue()


@pytest.mark.parametrize("value", ["1", "true", "True", "yes"])
def test_with_the_workers_setting_debug_is_shown(logged, in_function_run, value):
    stream = logged({"Function": "Debug"}, {"PYTHON_ENABLE_DEBUG_LOGGING": value})
    logging.getLogger("mine").debug("fine")
    assert stream.getvalue().endswith("] fine\n")
    assert "PYTHON_ENABLE" not in stream.getvalue()


def test_the_root_logger_passes_information_on_whatever_host_json_shows(logged, in_function_run):
    stream = logged({"default": "Error"})
    assert logging.getLogger("mine").isEnabledFor(logging.INFO)
    logging.getLogger("mine").info("not shown")
    assert stream.getvalue() == ""
