import json

import pytest

from local.host.__main__ import main
from local.host.testing import InProcessHost


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


def test_no_host_is_said_with_the_remedy(capsys):
    assert main(["durable", "list", "--url", "http://127.0.0.1:9"]) == 1
    assert "No host answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_with_keys_the_host_asks_for_one(apps, capsys):
    with InProcessHost(apps / "durable", settings={"HUB": "Keys"}, enable_auth=True) as app:
        assert "pass --key" in run(app, capsys, "list")[2]
        key = app.host.app.keys.system_key("durabletask_extension")
        assert run(app, capsys, "list", "--key", key)[0] == 0
