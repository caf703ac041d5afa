"""The management API where no recording shows it, and every method of the SDK's client."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

WEBHOOK = "/runtime/webhooks/durabletask"


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.orchestration_trigger(context_name="context")
    def wait(context):
        return (yield context.wait_for_external_event("go"))

    @app.orchestration_trigger(context_name="context")
    def echo(context):
        return (yield context.call_activity("act", context.get_input()))

    @app.orchestration_trigger(context_name="context")
    def fails(context):
        raise ValueError("no")
        yield

    @app.entity_trigger(context_name="context")
    def counter(context):
        context.set_state((context.get_state() or 0) + (context.get_input() or 0))
        context.set_result(context.get_state())

    return app


class Endpoints:
    """The backend's web endpoint, and the SDK's client at its RPC endpoint."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        application = Starlette(routes=[Mount(WEBHOOK, app=lab.extension.management)])
        self.web = httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url=f"http://localhost:7071{WEBHOOK}/"
        )
        rpc = httpx.AsyncClient(transport=httpx.ASGITransport(lab.extension.rpc))
        binding = lab.extension.client_binding(
            f"http://localhost:7071{WEBHOOK}", "", "http://127.0.0.1:17071/durabletask/"
        )
        self.client = df.DurableOrchestrationClient(binding)

        async def ask(method: str, url: str, data: Any = None) -> list[Any]:
            answer = await (rpc.request(method, url, json=data) if data is not None else rpc.request(method, url))
            return [answer.status_code, answer.json() if answer.content else ""]

        self.client._post_async_request = lambda url, data=None, *_, **__: ask("POST", url, data)
        self.client._get_async_request = lambda url, *_, **__: ask("GET", url)
        self.client._delete_async_request = lambda url, *_, **__: ask("DELETE", url)


@pytest.fixture
async def endpoints(lab: Any, app: df.DFApp) -> Endpoints:
    return Endpoints(await lab(app))


async def test_a_plus_in_a_path_is_a_space_so_that_a_starts_own_links_work(endpoints: Endpoints) -> None:
    started = (await endpoints.web.post("orchestrators/wait/a%20b%2Bc")).json()
    assert started["id"] == "a b+c"
    assert "/instances/a+b%2Bc?" in started["statusQueryGetUri"]
    assert (await endpoints.web.get(started["statusQueryGetUri"])).json()["instanceId"] == "a b+c"


async def test_an_encoded_slash_parts_the_path(endpoints: Endpoints) -> None:
    await endpoints.web.post("orchestrators/wait/a")
    assert (await endpoints.web.get("instances/a%2Fb")).status_code == 404
    assert (await endpoints.web.post("orchestrators/wait/a%2Fb")).status_code == 404
    await endpoints.lab.rest()
    assert (await endpoints.web.post("instances/a%2Fterminate")).status_code == 202


async def test_parameters_are_found_in_any_case_and_their_values_joined(endpoints: Endpoints) -> None:
    await endpoints.web.post("orchestrators/wait/one")
    await endpoints.web.post("orchestrators/fails/two")
    await endpoints.lab.rest()
    listed = await endpoints.web.get("instances?RUNTIMESTATUS=Running&runtimeStatus=Failed,nonsense&InstanceIdPrefix=t")
    assert [one["instanceId"] for one in listed.json()] == ["two"]
    await endpoints.web.post("instances/one/terminate?Reason=a&reason=b")
    await endpoints.lab.rest()
    assert (await endpoints.web.get("instances/one")).json()["output"] == "a,b"


@pytest.mark.parametrize(
    "path", ["orchestrators/echo/one", "instances/waiting/raiseEvent/go", "entities/counter/one?op=add"]
)
async def test_a_body_that_is_nested_too_deeply_is_refused(endpoints: Endpoints, path: str) -> None:
    await endpoints.web.post("orchestrators/wait/waiting")
    deep = b"[" * 20_000 + b"]" * 20_000  # Python 3.13 reads 9,998
    answer = await endpoints.web.post(path, content=deep, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


async def test_a_blank_body_is_no_input(endpoints: Endpoints) -> None:
    await endpoints.web.post("orchestrators/echo/one", content=b"  \n")
    await endpoints.lab.rest()
    found = (await endpoints.web.get("instances/one")).json()
    assert (found["runtimeStatus"], found["input"], found["output"]) == ("Completed", None, None)


async def test_a_restart_can_wait_for_the_end(endpoints: Endpoints) -> None:
    await endpoints.web.post("orchestrators/echo/one", json=json.dumps("again"))
    await endpoints.lab.rest()
    answer = await endpoints.web.post("instances/one/restart?timeout=5&pollingInterval=1")
    assert (answer.status_code, answer.json()) == (200, "again")


async def test_a_wait_shorter_than_its_interval_is_refused_after_the_start(endpoints: Endpoints) -> None:
    answer = await endpoints.web.post("orchestrators/wait/one?timeout=1&pollingInterval=3")
    assert (answer.status_code, answer.json()["Message"]) == (
        400,
        "Total timeout 1 should be bigger than retry timeout 3",
    )
    assert (await endpoints.web.get("instances/one")).status_code == 202


async def test_signals_need_the_name_of_an_entity(endpoints: Endpoints) -> None:
    answer = await endpoints.web.post("entities?op=add", json=1)
    assert answer.status_code == 400
    assert "entity name must not be" in answer.json()["Message"]


async def test_every_method_of_the_client_that_asks(endpoints: Endpoints) -> None:
    client, lab = endpoints.client, endpoints.lab
    began = datetime.now(UTC) - timedelta(days=1)
    assert await client.start_new("wait", "one", {"n": 1}) == "one"
    await lab.rest()
    with pytest.raises(Exception, match="already exists"):
        await client.start_new("wait", "one")
    found = await client.get_status("one", show_history=True, show_history_output=True, show_input=True)
    assert found.runtime_status == df.OrchestrationRuntimeStatus.Running
    assert json.loads(found.input_) == {"n": 1}
    assert (await client.get_status("none")).runtime_status is None
    assert [one.instance_id for one in await client.get_status_all()] == ["one"]
    some = await client.get_status_by(began, runtime_status=[df.OrchestrationRuntimeStatus.Running])
    assert [one.instance_id for one in some] == ["one"]
    await client.suspend("one", "lunch")
    await lab.rest()
    assert (await client.get_status("one")).runtime_status == df.OrchestrationRuntimeStatus.Suspended
    await client.resume("one", "back")
    await client.raise_event("one", "go", [1])
    found = await client.wait_for_completion_or_create_check_status_response(
        func.HttpRequest("GET", "http://localhost/api/x", body=b""), "one", 2000, 100
    )
    assert (found.status_code, json.loads(found.get_body())) == (200, [1])
    with pytest.raises(Exception, match="either completed or failed"):
        await client.raise_event("one", "go")
    with pytest.raises(Exception, match="No instance with ID none found"):
        await client.raise_event("none", "go")
    assert (await client.purge_instance_history("one")).instances_deleted == 1
    assert (await client.purge_instance_history("one")).instances_deleted == 0


async def test_every_method_of_the_client_that_changes(endpoints: Endpoints) -> None:
    client, lab = endpoints.client, endpoints.lab
    began = datetime(2020, 1, 1, tzinfo=UTC)
    await client.start_new("wait", "one")
    await lab.rest()
    await client.terminate("one", "enough")
    await lab.rest()
    found = await client.get_status("one")
    assert (found.runtime_status, found.output) == (df.OrchestrationRuntimeStatus.Terminated, "enough")
    await client.start_new("fails", "two")
    await lab.rest()
    await client.rewind("two", "again")
    with pytest.raises(Exception, match="none"):
        await client.rewind("none", "again")
    await lab.rest()
    assert (await client.get_status("two")).runtime_status == df.OrchestrationRuntimeStatus.Failed
    await client.restart("one", restart_with_new_instance_id=False)
    await lab.rest()
    assert (await client.get_status("one")).runtime_status == df.OrchestrationRuntimeStatus.Running
    entity = df.EntityId("Counter", "K@k")
    absent = await client.read_entity_state(entity)
    assert (absent.entity_exists, absent.entity_state) == (False, None)
    await client.signal_entity(entity, "add", 5)
    await lab.rest()
    present = await client.read_entity_state(entity)
    assert (present.entity_exists, present.entity_state) == (True, 5)
    deleted = await client.purge_instance_history_by(began, None, [df.OrchestrationRuntimeStatus.Failed])
    assert deleted.instances_deleted == 1
    links = client.create_http_management_payload("one")
    assert links["terminatePostUri"].startswith(f"http://localhost:7071{WEBHOOK}/instances/one/terminate?reason=")


@pytest.mark.parametrize("instance_id", ["日本", "x y", "a'b", "@odd@x", "50%"])
async def test_the_location_of_a_status_is_an_address_whatever_the_id(endpoints: Endpoints, instance_id: str) -> None:
    await endpoints.client.start_new("wait", instance_id)
    await endpoints.lab.rest()
    path = f"instances/{quote(instance_id)}"
    answer = await endpoints.web.get(f"{path}?showInput=true")
    assert answer.status_code == 202
    assert answer.json()["instanceId"] == instance_id
    assert answer.headers["location"].endswith(f"{WEBHOOK}/instances/{quote(instance_id)}?showInput=true")
    assert (await endpoints.web.get(answer.headers["location"])).json()["instanceId"] == instance_id
    assert (await endpoints.client.get_status(instance_id)).instance_id == instance_id
