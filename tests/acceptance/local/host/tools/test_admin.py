import re

import pytest

from local.browser import browser_page
from local.host.testing import InProcessHost
from local.host.tools.admin import PAGE


@pytest.fixture(scope="module")
def app(apps):
    with InProcessHost(apps / "durable", settings={"HUB": "ShopHub"}) as host:
        yield host


def get(app, path, **more):
    return app.request("GET", path, **more)


def test_ping_and_status(app):
    assert (get(app, "/admin/host/ping").status, get(app, "/admin/host/ping").body) == (200, b"")
    status = get(app, "/admin/host/status").json()
    assert status["state"] == "Running"
    assert status["processUptime"] >= 0
    assert "errors" not in status
    assert {"id", "version", "versionDetails", "platformVersion", "instanceId", "computerName"} <= status.keys()


def test_the_list_of_functions(app):
    functions = {one["name"]: one for one in get(app, "/admin/functions").json()}
    assert list(functions) == sorted(functions)
    start = functions["start"]
    assert start["invoke_url_template"] == f"http://127.0.0.1:{app.host.app.port}/api/start/{{name}}"
    assert start["config"]["bindings"][-1] == {"direction": "out", "type": "http", "name": "$return"}
    assert (start["language"], start["isDisabled"], start["isDirect"], start["isProxy"]) == (
        "python",
        False,
        False,
        False,
    )
    assert get(app, "/admin/functions/START").json() == start
    assert functions["chain"]["invoke_url_template"] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/functions/nope", 404),
        ("/admin/functions/nope/status", 404),
        ("/admin/functions/start/status", 200),
        ("/admin/nope", 404),
        ("/admin/host/keys", 200),
        ("/admin/host/systemkeys", 200),
        ("/admin/host/keys/_master", 200),
        ("/admin/host/keys/nope", 404),
        ("/admin/functions/start/keys", 200),
    ],
)
def test_statuses(app, path, status):
    assert get(app, path).status == status


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("add_two", {"input": "[1]"}, 202),
        ("add_two", {}, 202),
        ("nope", {"input": ""}, 404),
        ("add_two", None, 400),
        ("add_two", b"not json", 400),
        ("add_two", {"input": {"a": 1}}, 400),
        ("add_two", ["x"], 400),
    ],
)
def test_runs_by_hand_are_answered_at_once(app, name, body, status):
    answer = app.request("POST", f"/admin/functions/{name}", body)
    assert (answer.status, answer.body) == (status, b"")


def test_an_http_function_run_by_hand_fails_in_the_log(app):
    assert app.request("POST", "/admin/functions/start", {"input": ""}).status == 202
    app.settle()
    assert "Function 'start' was not run by hand" in app.log


def test_recent_runs(app):
    instance = app.start_orchestration("chain", [1])
    app.wait_for(instance)
    app.settle()
    runs = get(app, f"/admin/host/invocations?instance={instance}").json()
    assert [one["function"] for one in runs] == ["chain", "add_two", "chain"]
    assert {one["outcome"] for one in runs} == {"Succeeded"}
    assert all(one["durationMs"] >= 0 for one in runs)


def test_a_page_of_another_site_gets_no_answer(app):
    evil = {"Origin": "https://evil.example"}
    assert app.request("POST", "/admin/functions/add_two", {"input": "[1]"}, headers=evil).status == 403
    assert get(app, "/admin/functions", headers={"Origin": app.url}).status == 200


def test_the_page_needs_nothing_from_elsewhere():
    assert re.findall(r"(?:https?:)?//[a-z0-9]", PAGE.read_text()) == []


async def test_the_page_shows_functions_runs_and_the_timeline_of_an_orchestration(app):
    done = app.start_orchestration("chain", [1, 2, 3])
    hangs = app.start_orchestration("asks_for_what_is_not_there", instance_id="hangs")
    app.wait_for(done)
    app.settle()
    async with browser_page() as page:
        await page.goto(app.url + "/")
        await page.wait_for_selector(f"#instances tr:has-text('{done}')")
        assert "POST /api/start/{name}" in await page.inner_text("#functions")
        assert "add_two" in await page.inner_text("#runs")
        await page.click(f"#instances tr:has-text('{done}')")
        await page.wait_for_selector("#timeline .bar")
        labels = await page.locator("#timeline .row > span").all_inner_texts()
        assert labels == ["started", "Add", "Add", "Add", "completed"]
        await page.click(f"#runs tr:has-text('{hangs}')")
        await page.wait_for_selector("#notes p")
        assert "no_such_activity" in await page.inner_text("#notes")


async def test_the_newest_orchestrations_are_listed_however_many_there_are(app):
    for number in range(60):
        app.start_orchestration("chain", [number], f"zz-{number}")
    newest = app.start_orchestration("count_to", 1, "a-newest")
    app.wait_for(newest)
    app.settle()
    listed = [one["instanceId"] for one in get(app, "/admin/host/orchestrations").json()]
    assert len(listed) == 50
    assert newest in listed[:5]
    assert not {f"zz-{number}" for number in range(5)} & set(listed)
    [entity] = get(app, "/admin/host/entities").json()
    assert (entity["instanceId"], entity["input"]["exists"]) == ("@counter@main", True)
    async with browser_page() as page:
        await page.goto(app.url + "/")
        await page.click(f"#instances tr:has-text('{newest}')")
        await page.wait_for_selector("#timeline .row:has-text('counter main: add')")
        await page.click("#entities tr:has-text('@counter@main')")
        await page.wait_for_selector("#notes pre:has-text('state: ')")
        assert await page.locator("#timeline").is_hidden()


def test_an_instance_that_is_not_there(app):
    assert get(app, "/admin/host/instances/nobody").status == 404


async def test_the_page_asks_for_the_key_when_the_host_does(apps):
    with InProcessHost(apps / "timers", enable_auth=True, settings={"NIGHTLY": "0 0 2 * * *"}) as app:
        async with browser_page(expects="401") as page:
            await page.goto(app.url + "/")
            await page.wait_for_selector("#keys:not([hidden])")
            await page.fill("#key", app.host.app.keys.master)
            await page.click("#keys button")
            await page.wait_for_selector("#functions tr:has-text('nightly')")
