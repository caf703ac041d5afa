"""Every recorded invocation of an orchestrator again: the same messages must give the same context and answer.

The recorded messages of each episode (completions, events, timers, in the recorded batches) are fed to the turn engine;
nothing else is taken from the recording. What the engine makes of them, scheduled events with their ids, retry timers,
played flags, continuations as new, is compared with the context that Microsoft's extension sent next, text for text.
"""

import asyncio
import json
from collections import OrderedDict
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from local.host.durable.management import rewinding
from local.host.durable.model import dotnet, events
from local.host.durable.model.known import KnownFunctions
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import FunctionFailed
from local.host.durable.model.records import Instance, Message
from local.host.durable.replay import turn
from local.host.durable.replay.answers import read_answer, read_failure
from local.host.durable.sdk.inprocess import InProcessFunctions

GOLDEN = Path(__file__).parent / "golden"


def recorded_runs() -> dict[str, list[dict[str, Any]]]:
    """Episodes by instance, in the recorded order."""
    runs: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
    for line in (GOLDEN / "orchestrator.jsonl").read_text().splitlines():
        one = json.loads(line)
        runs.setdefault(f"{one['pattern']}/{one['instanceId']}", []).append(one)
    return runs


RUNS = recorded_runs()


def boundary(history: list[dict[str, Any]]) -> int:
    """Where the episode starts: the last OrchestratorStarted."""
    return max(i for i, event in enumerate(history) if event["EventType"] == events.ORCHESTRATOR_STARTED)


def pending(started: dict[str, Any]) -> Instance:
    instance = started["OrchestrationInstance"]
    parent = started["ParentInstance"]
    return Instance(
        instance["InstanceId"],
        instance["ExecutionId"],
        started["Name"],
        started["Version"],
        started["Input"],
        started["Timestamp"],
        started["Timestamp"],
        parent_instance_id=parent and parent["OrchestrationInstance"]["InstanceId"],
        history=[],
        texts=[],
    )


@pytest.mark.parametrize("name", RUNS)
def test_recorded_run_again(name: str, patterns: InProcessFunctions, mask: Any) -> None:
    episodes = RUNS[name]
    known = KnownFunctions(patterns)
    instance: Instance | None = None
    for number, recorded in zip(count(1), episodes, strict=False):
        history = recorded["context"]["history"]
        start = boundary(history)
        new = [dict(event) for event in history[start + 1 :]]
        if instance is None or (new[0]["EventType"] == events.EXECUTION_STARTED and not instance.fresh):
            instance = pending(new[0])
        blanks = sum(event["EventType"] == events.GENERIC for event in history[:start])
        if blanks > sum(event["EventType"] == events.GENERIC for event in instance.history or ()):
            assert instance.history is not None
            rewinding.blank_failures(instance.history)
            instance.texts = [dotnet.to_json(event) for event in instance.history]
        messages = [] if instance.fresh else [Message(instance.instance_id, None, event) for event in new]
        now = dotnet.parse_time(history[start]["Timestamp"])
        episode = turn.begin(instance, messages, now)
        episode.new[0]["Timestamp"] = history[start]["Timestamp"]  # to its seventh digit: ids of requests depend on it
        context = turn.context(instance, episode)
        assert mask(json.loads(context)) == mask(recorded["context"]), f"context of episode {number}"

        outcome = asyncio.run(answer_of(patterns, instance, context))
        expected = recorded.get("answer") or recorded["failure"]
        assert mask(outcome) == mask(expected), f"answer of episode {number}"
        answer = (
            read_answer(instance.name, json.dumps(outcome))
            if "answer" in recorded
            else read_failure(
                instance.name, FunctionFailed("Exception", "\n\n$OutOfProcData$:" + json.dumps(outcome), "")
            )
        )
        result = turn.finish(instance, episode, answer, known=known, now=now, options=DurableOptions())
        instance = turn.advance(instance, episode, result, dotnet.timestamp(now))


async def answer_of(patterns: InProcessFunctions, instance: Instance, context: str) -> dict[str, Any]:
    """What the SDK says, be it as an answer or inside its exception."""
    try:
        return json.loads(await patterns.run_orchestrator(instance.name, context, instance.instance_id))
    except FunctionFailed as failure:
        return json.loads(failure.message.partition("\n\n$OutOfProcData$:")[2])
