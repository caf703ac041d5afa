"""Every recorded batch of an entity again: the same state and operations give the same context, answer and replies."""

import json
from typing import Any

import pytest

from local.host.durable.model import dotnet, entities
from local.host.durable.sdk.inprocess import InProcessFunctions

AT = "2026-11-21T09:00:00Z"


def entity_as_recorded(context: dict[str, Any]) -> Any:
    entity = entities.new_entity(entities.entity_id(context["self"]["name"], context["self"]["key"]), "execution", AT)
    if context["state"] is not None or context["exists"]:
        entity.input_text = dotnet.to_json({"exists": context["exists"], "state": context["state"]})
    return entity


def requests_as_recorded(context: dict[str, Any]) -> list[dict[str, Any]]:
    requests = []
    for one in context["batch"]:
        request = {"op": one["name"], "id": one["id"], "parent": "caller", "parentExecution": "execution"}
        if one["isSignal"]:
            request["signal"] = True
        if one["input"] is not None:
            request["input"] = one["input"]
        requests.append(request)
    return requests


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    for result in answer["results"]:
        assert result.pop("duration") >= 0
        assert result.pop("startTime") > 0
    return answer


@pytest.mark.parametrize("number", range(33))
async def test_recorded_batch_again(number: int, golden: Any, patterns: InProcessFunctions) -> None:
    recorded = golden("entity.jsonl")[number]
    entity = entity_as_recorded(recorded["context"])
    requests = requests_as_recorded(recorded["context"])

    context = entities.context(entity, requests)
    assert json.dumps(json.loads(context)) == json.dumps(recorded["context"])

    answer = await patterns.run_entity(recorded["entity"], context, entity.instance_id)
    assert without_times(json.loads(answer)) == without_times(dict(recorded["answer"]))

    outcome = entities.finish(requests, answer, AT)
    entity.input_text = outcome.input_text
    assert entities.state_of(entity) == (recorded["answer"]["entityExists"], recorded["answer"]["entityState"])
    assert [reply.request_id for reply in outcome.replies] == [
        request["id"] for request in requests if not request.get("signal")
    ]


def test_all_recorded_batches_are_compared(golden: Any) -> None:
    assert len(golden("entity.jsonl")) == 33
