"""What else was recorded: the client binding, the fields of history events, call_http's requests, error envelopes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from local.host.core.clock import ManualClock
from local.host.durable.extension import DurableExtension
from local.host.durable.model import dotnet, events
from local.host.durable.model.options import DurableOptions
from local.host.durable.sdk.inprocess import InProcessFunctions
from local.host.durable.taskhub import http_activity

AT = "2026-11-21T09:00:00Z"
WEBHOOK = "http://localhost:7071/runtime/webhooks/durabletask"

MADE = {
    0: events.execution_started(
        instance_id="i", execution_id="e", name="n", version=None, input_text=None, parent=None, generation=0, at=AT
    ),
    3: events.terminated("why", AT),
    4: events.task_scheduled(0, "n", AT),
    5: events.task_completed(0, "1", AT),
    6: events.task_failed(0, "r", "d", AT),
    7: events.child_created(0, "n", None, "i", AT),
    8: events.child_completed(0, "1", AT),
    9: events.child_failed(0, "r", "d", AT),
    10: events.timer_created(0, AT, AT),
    11: events.timer_fired(0, AT, AT),
    12: events.orchestrator_started(AT),
    13: events.orchestrator_completed(AT),
    14: events.event_sent(0, "i", "op", "{}", AT),
    15: events.event_raised("n", "1", AT),
    17: events.generic(None, 0, AT),
    19: events.suspended("why", AT),
    20: events.resumed("why", AT),
}


def test_history_events_have_the_recorded_fields_in_the_recorded_order(golden: Any) -> None:
    recorded = golden("history-fields.json")["events"]
    assert {int(kind) for kind in recorded} == set(MADE)
    for kind, event in MADE.items():
        assert [list(event)] == recorded[str(kind)]["fields"], recorded[str(kind)]["name"]
        assert events.NAMES[kind] == recorded[str(kind)]["name"]


def test_client_binding_is_the_recorded_one(golden: Any, patterns: InProcessFunctions, tmp_path: Path) -> None:
    extension = DurableExtension(patterns, DurableOptions(hub_name="lab"), tmp_path / "lab.db", ManualClock())
    binding = json.loads(extension.client_binding(WEBHOOK, "LABKEY", "http://127.0.0.1:17071/durabletask/"))
    assert json.dumps(binding) == json.dumps(golden("client.json"))


def keys(value: Any) -> Any:
    return {key: keys(one) for key, one in value.items()} if isinstance(value, dict) else type(value).__name__


def test_failed_activity_has_the_recorded_envelope(golden: Any, deviations: set[str]) -> None:
    recorded = json.loads(golden("task-failed.json")["Details"])
    error = recorded["Message"]
    ours = json.loads(dotnet.activity_exception(error, recorded["InnerException"]["RemoteStackTrace"]))
    assert json.dumps(keys(ours)) == json.dumps(keys(recorded))
    allowed = {"StackTrace": "no-dotnet-stacks", "$type": "worker-class-names", "Source": "worker-class-names"}
    for key, value in recorded["InnerException"].items():
        assert ours["InnerException"][key] == value or allowed.get(key) in deviations, key
    del recorded["InnerException"], ours["InnerException"]
    assert ours == recorded


def head_of(raw: str) -> tuple[str, dict[str, str], str]:
    head, _, body = raw.partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    return first.rpartition(" ")[0], dict(line.split(": ", 1) for line in rest), body


@pytest.mark.parametrize("number", range(3))
async def test_call_http_sends_the_recorded_requests(number: int, golden: Any, deviations: set[str]) -> None:
    assert "no-shared-cookies" in deviations
    recorded = golden("outbound.jsonl")[number]
    arrived: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head_of(head)[1].get("Content-Length", "0"))
        arrived.append(head + (await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 204 No Content\r\nX-Answer: 1\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        request = {"method": recorded["method"], "uri": f"http://{address}{recorded['path']}"}
        if recorded["body"]:
            request["content"] = recorded["body"]
        sent = {name: recorded["headers"][name] for name in ("X-One",) if name in recorded["headers"]}
        if recorded["headers"].get("Content-Type") == "application/json":
            sent["Content-Type"] = "application/json"
        result = json.loads(await http_activity.send(json.dumps(request | {"headers": sent})))

    line, headers, body = head_of(arrived[0])
    assert line == f"{recorded['method']} {recorded['path']}"
    assert body == recorded["body"]
    expected = {name: value for name, value in recorded["headers"].items() if name not in {"Host", "Cookie"}}
    ours = {name.title(): value for name, value in headers.items() if name.title() != "Host"}
    assert ours == expected
    assert result == {"statusCode": 204, "headers": {"X-Answer": "1", "Connection": "close"}, "content": ""}


async def test_call_http_refused_says_what_dotnet_says() -> None:
    with pytest.raises(http_activity.RequestFailed, match=r"^Connection refused \(127\.0\.0\.1:9\)$"):
        await http_activity.send(json.dumps({"method": "GET", "uri": "http://127.0.0.1:9/none"}))
