"""Every recorded request to the management API again, in the recorded order, against the local backend.

The recorded app's own functions (/api/start, /api/raise, /api/ops) are stood in for by the SDK's real client talking to
the RPC endpoint, as they did when recorded. Ids that a server made up are translated. Time is moved by hand, up to
where the recording saw an instance in the state it was then in.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import azure.durable_functions as df
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from local.host.core.clock import ManualClock
from local.host.durable.extension import DurableExtension
from local.host.durable.model.options import DurableOptions
from local.host.durable.sdk.inprocess import InProcessFunctions
from tests.conformance.outside import outside
from tests.conformance.ticking import TickingClock

WEBHOOK = "/runtime/webhooks/durabletask"
ORIGIN = "http://127.0.0.1:7071"
RPC = "http://127.0.0.1:17071/durabletask/"
TRANSIENT = {"Pending"}
# Their functions were the recording harness's own, or answered by it.
NOT_THE_EXTENSIONS = {"x_http_async_off", "p_http"}
# What ran at the same time may have ended in another order: these histories are compared as sets.
CONCURRENT = {"p_fan", "p_all_fail", "p_nested", "p_any_loop", "p_two_events"}


class Host:
    """The backend with its endpoints, and the ids that it gave where the recording has others."""

    def __init__(self, functions: InProcessFunctions, folder: Path, options: DurableOptions) -> None:
        self.clock = TickingClock()
        self.extension = DurableExtension(functions, options, folder / "lab.db", self.clock)
        binding = self.extension.client_binding(f"http://localhost:7071{WEBHOOK}", "LABKEY", RPC)
        self.web = httpx.AsyncClient(
            transport=httpx.ASGITransport(Starlette(routes=[Mount(WEBHOOK, app=self.extension.management)])),
            base_url=ORIGIN,
        )
        self.rpc = httpx.AsyncClient(transport=httpx.ASGITransport(self.extension.rpc))
        self.client = df.DurableOrchestrationClient(binding)
        self.client._post_async_request = self._post
        self.client._get_async_request = self._get
        self.client._delete_async_request = self._delete
        self.ids: dict[str, str] = {}

    async def _post(self, url: str, data: Any = None, *_: Any, **__: Any) -> list[Any]:
        return self._read(await self.rpc.post(url, json=data) if data is not None else await self.rpc.post(url))

    async def _get(self, url: str, *_: Any, **__: Any) -> list[Any]:
        status, body = self._read(await self.rpc.get(url))
        return [status, "" if body is None else body]

    async def _delete(self, url: str, *_: Any, **__: Any) -> list[Any]:
        return self._read(await self.rpc.delete(url))

    @staticmethod
    def _read(response: httpx.Response) -> list[Any]:
        return [response.status_code, response.json() if response.content else None]

    def here(self, text: str) -> str:
        """The recorded text with the ids of this host."""
        for recorded, ours in self.ids.items():
            text = text.replace(recorded, ours)
        return text

    async def move_until(self, reached: Callable[[], bool]) -> None:
        """Let work go on, and time when nothing else is to do, until `reached`; at most two minutes of the clock."""
        limit = self.clock.now().timestamp() + 120
        idle = 0
        for _ in range(4000):
            if reached():
                return
            await asyncio.sleep(0.001)
            idle += 1
            wake = self.clock.next_wake()
            if idle > 40 and wake is not None and wake.timestamp() < limit:
                self.clock.move_to(max(wake, ManualClock.now(self.clock)))
                idle = 0

    def status_of(self, instance_id: str) -> str | None:
        instance = self.extension._dispatcher.instances.state(instance_id)
        return instance.status if instance is not None else None


@pytest.fixture
def called(patterns: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What call_http calls."""
    with outside() as url:
        monkeypatch.setattr(patterns.module, "URL", url)
        yield


async def call_app(host: Host, line: dict[str, Any]) -> tuple[int, Any]:
    """What the recorded app's HTTP functions did, with the SDK's client."""
    url = urlsplit(host.here(line["path"]))
    _, _, word, *rest = url.path.split("/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    body = json.loads(line["body"]) if line["body"] else None
    if word == "start":
        try:
            instance_id = await host.client.start_new(rest[0], query.get("id"), body)
        except Exception as error:
            return 500, str(error)
        return 202, host.client.get_client_response_links(None, instance_id)
    if word == "raise":
        try:
            await host.client.raise_event(rest[0], rest[1], body)
        except Exception as error:
            return 500, str(error)
        return 200, "ok"
    instance_id, operation = rest
    return 200, await operate(host.client, instance_id, operation, query)


async def operate(client: Any, instance_id: str, operation: str, query: dict[str, str]) -> Any:
    try:
        return await asked(client, instance_id, operation, query)
    except Exception as error:
        return {"exception": type(error).__name__, "text": str(error)}


async def asked(client: Any, instance_id: str, operation: str, query: dict[str, str]) -> Any:
    if operation in {"terminate", "suspend", "resume", "rewind"}:
        return await getattr(client, operation)(instance_id, "because")
    if operation == "purge":
        return (await client.purge_instance_history(instance_id)).instances_deleted
    if operation == "restart":
        return await client.restart(instance_id)
    if operation == "status":
        return (await client.get_status(instance_id, True, True, True)).to_json()
    entity = df.EntityId(query["name"], query["key"])
    if operation == "signal":
        return await client.signal_entity(entity, "add", 3)
    state = await client.read_entity_state(entity)
    return [state.entity_exists, state.entity_state]


def content_type(line: dict[str, Any]) -> str:
    """The recording does not hold the requests' types; their notes tell."""
    if "text/plain" in line["note"]:
        return "text/plain"
    return "application/json; charset=utf-8" if "charset" in line["note"] else "application/json"


async def before(host: Host, line: dict[str, Any]) -> None:
    """What happened between the recorded requests: patterns that are not in this recording, and the passing of time."""
    note = line["note"]
    start = host.extension.operations.start
    if note == "retried child with a fixed id":
        start("x_sub_retry_fixed_id", None, "op-9")
        await host.move_until(lambda: host.status_of("op-9") == "Completed")
    elif note == "raise raw" and "/dup-y/" in line["path"]:
        start("x_sub_same_id", json.dumps(json.dumps("dup-y")), "same-1")
        await host.move_until(lambda: host.status_of("same-1") == "Completed")
    elif note == "suspended past its timer":
        host.clock.advance(3)
        await asyncio.sleep(0.05)
    elif note == "suspended with event":
        await asyncio.sleep(0.02)
    elif line["drive"].endswith("drive3") and "finished" in note:
        await host.move_until(lambda: host.status_of("any-1") == "Completed")


def deviation_of(line: dict[str, Any]) -> str | None:
    """Under which id of docs/local-host-deviations.md the answer may be another."""
    path, note = line["path"], line["note"]
    if pattern_of(line) == "p_timer":
        return "timers-never-early"
    if note == "same id running" and "Pending" in line["text"]:
        return "pending-is-brief"
    if "json" in note and line["status"] in {400, 500}:
        return "json-error-texts"
    return "makeprimary" if path.endswith("/makeprimary") else None


def expected_status(line: dict[str, Any]) -> str | None:
    """The state in which the recording saw the instance that this request asks for."""
    path = urlsplit(line["path"]).path.removeprefix(WEBHOOK).strip("/").split("/")
    if line["method"] != "GET" or len(path) != 2 or path[0] != "instances":
        return None
    try:
        body = json.loads(line["text"])
    except ValueError:
        return None
    return body.get("runtimeStatus") if isinstance(body, dict) else None


def comparable(line: dict[str, Any], body: str) -> Any:
    """A body as far as it can be compared."""
    if not body:
        return None
    value = json.loads(body)
    if isinstance(value, list):
        return [sorted(one) for one in value[:1]]
    if isinstance(value, dict) and value.get("name") in CONCURRENT and "historyEvents" in value:
        value["historyEvents"] = sorted(json.dumps(one) for one in value["historyEvents"])
    if isinstance(value, dict) and "instancesDeleted" in value and "runtimeStatus" in line["path"]:
        return sorted(value)
    return value


def pattern_of(line: dict[str, Any]) -> str:
    try:
        return json.loads(line["text"])["name"]
    except (ValueError, KeyError, TypeError):
        return ""


class Comparison:
    """Sends the recorded requests and collects what is answered otherwise."""

    def __init__(self, host: Host, mask: Callable[[Any], str]) -> None:
        self.host = host
        self.mask = mask
        self.differences: list[str] = []
        self.compared = 0
        self.deviations: set[str] = set()
        self.token = ""

    async def run(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            await before(self.host, line)
            status = expected_status(line)
            polled = line["note"] == "status" and status == "Running"
            if polled or status in TRANSIENT or pattern_of(line) in NOT_THE_EXTENSIONS:
                continue
            if line["path"].startswith("/api/"):
                await self._app(line)
            elif line["path"].startswith(WEBHOOK):
                await self._web(line, status)

    async def _app(self, line: dict[str, Any]) -> None:
        if any(name in line["path"] for name in NOT_THE_EXTENSIONS) or line["path"].endswith("/wait"):
            return
        code, body = await call_app(self.host, line)
        if line["path"].startswith("/api/start") and code == 202:
            self.host.ids.setdefault(json.loads(line["text"])["id"], body["id"])
        if line["status"] == 500:
            same = code == 500
        else:
            recorded = line["text"] if line["path"].startswith("/api/raise") else json.loads(line["text"])
            same = self._same(line, recorded, body)
        self._note(line, same=same and code == line["status"], ours=f"{code} {body}")
        if isinstance(body, dict) and line["path"].endswith("/restart") and "id" in body:
            self.host.ids[json.loads(line["text"])["id"]] = body["id"]
        await self._settle()

    async def _web(self, line: dict[str, Any], status: str | None) -> None:
        path = self.host.here(line["path"])
        if status is not None:
            instance_id = urlsplit(path).path.removeprefix(f"{WEBHOOK}/instances/")
            decoded = unquote(instance_id)
            await self.host.move_until(lambda: self.host.status_of(decoded) == status)
        content = line["body"].encode() if line["body"] is not None else None
        headers = {"Content-Type": content_type(line)}
        if "page 2" in line["note"]:
            headers["x-ms-continuation-token"] = self.token
        response = await self.host.web.request(line["method"], path, content=content, headers=headers)
        if "x-ms-continuation-token" in response.headers:
            self.token = response.headers["x-ms-continuation-token"]
        recorded = comparable(line, line["text"])
        ours = comparable(line, response.text)
        same = self._same(line, recorded, ours) and response.status_code == line["status"]
        for name, value in line["headers"].items():
            if name.lower() == "x-ms-continuation-token":
                same = same and name in response.headers
            else:
                got = response.headers.get(name, "")
                same = same and self.mask(self.host.here(value)) == self.mask(got)
        self._note(line, same=same, ours=f"{response.status_code} {dict(response.headers)} {response.text}")
        if isinstance(recorded, dict) and isinstance(ours, dict) and "id" in recorded and "id" in ours:
            self.host.ids.setdefault(recorded["id"], ours["id"])
        await self._settle()

    def _same(self, line: dict[str, Any], recorded: Any, ours: Any) -> bool:
        del line
        text = self.mask(json.loads(self.host.here(json.dumps(recorded))))
        return text == self.mask(ours)

    def _note(self, line: dict[str, Any], *, same: bool, ours: str) -> None:
        self.compared += 1
        deviation = deviation_of(line)
        if deviation is not None:
            self.deviations.add(deviation)
        elif not same:
            recorded = f"{line['status']} {line['headers']} {line['text']}"
            self.differences.append(
                f"{line['drive']} | {line['note']} | {line['method']} {line['path']}\n  recorded {recorded[:900]}\n"
                f"  ours     {ours[:900]}"
            )

    async def _settle(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)


@pytest.fixture
def host_for(patterns: InProcessFunctions, tmp_path: Path) -> Callable[[DurableOptions], Host]:
    return lambda options: Host(patterns, tmp_path, options)


@pytest.mark.parametrize("drive", ["v3-drive1", "v3-drive2", "v3-drive3", "v3-drive4"])
@pytest.mark.usefixtures("called")
async def test_recorded_requests_again(
    drive: str, golden: Any, mask: Any, deviations: set[str], host_for: Callable[[DurableOptions], Host]
) -> None:
    overridable = "AnyState" if drive == "v3-drive3" else "NonRunningStates"
    options = DurableOptions.parse({"hubName": "lab", "overridableExistingInstanceStates": overridable})
    host = host_for(options)
    await host.extension.start()
    comparison = Comparison(host, mask)
    lines = [line for line in golden("exchanges.jsonl") if line["drive"] == drive]
    try:
        await comparison.run(lines)
    finally:
        await host.extension.stop()
    text = "\n".join(comparison.differences)
    assert comparison.deviations <= deviations
    assert not comparison.differences, f"{len(comparison.differences)} of {comparison.compared} differ\n{text}"
