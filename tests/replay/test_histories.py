"""Histories of real runs, replayed against today's orchestrators.

A deployment that changes the order of an orchestration's steps would break every run that is under way: these tests
fail first. New ones are recorded with `python -m tools.record_history`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import function_app
from shared.platform.durable import ORCHESTRATIONS, blueprint
from tests.present import present

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
SCHEDULED, CHILD, TIMER, SENT = 4, 7, 10, 14
STARTED, TURN_BEGAN, TURN_ENDED, ENDED = 0, 12, 13, 1
WAIT_FOR_EVENT = 6
CALL_ENTITY = 7
KINDS = {0: SCHEDULED, 2: CHILD, 5: TIMER, CALL_ENTITY: SENT}


class NotDeterministic(AssertionError):
    """Today's orchestrator does not do what the history says it did."""


def replay(recorded: dict[str, Any]) -> dict[str, Any]:
    """Run today's orchestrator over every turn of the history; its last answer.

    Raises:
        NotDeterministic: in some turn it did something else than was recorded.
    """
    [builder] = blueprint(ORCHESTRATIONS[recorded["name"]])._function_builders
    handle = builder._function._func
    history = [event for event in recorded["history"] if event["EventType"] != ENDED]
    answer: dict[str, Any] = {}
    for end in [*(i for i, event in enumerate(history) if event["EventType"] == TURN_ENDED), len(history)]:
        turn = list(history[:end])
        while turn and turn[-1]["EventType"] in (SCHEDULED, CHILD, TIMER, SENT):
            turn.pop()  # what this turn is about to decide
        context = {
            "history": turn,
            "input": recorded["input"],
            "instanceId": recorded["instanceId"],
            "isReplaying": False,
            "parentInstanceId": recorded["parentInstanceId"],
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 3,
        }
        answer = answered(handle, context)
        compare(list(decided(answer["actions"])), history[:end])
    return answer


def answered(handle: Any, context: dict[str, Any]) -> dict[str, Any]:
    """What the SDK tells the host; of an orchestrator that raised, it hangs that on the error's text."""
    try:
        return json.loads(handle(func.OrchestrationContext(json.dumps(context))))
    except Exception as error:
        _, failed, told = str(error).partition("$OutOfProcData$:")
        if not failed:
            raise
        return json.loads(told)


def decided(actions: Any) -> Iterator[tuple[int, str]]:
    """What the orchestrator asked for, in order: kind of event and name."""
    for action in actions:
        if isinstance(action, list):
            yield from decided(action)
        elif "compoundActions" in action:
            yield from decided(action["compoundActions"])
        elif action["actionType"] != WAIT_FOR_EVENT:  # which leaves no trace until the event comes
            # Whatever an entity is asked to do, the history calls it `op`.
            name = "op" if action["actionType"] == CALL_ENTITY else action.get("functionName", "")
            yield KINDS[action["actionType"]], name


def compare(wanted: list[tuple[int, str]], history: list[dict[str, Any]]) -> None:
    happened = [(e["EventType"], e.get("Name", "")) for e in history if e["EventType"] in KINDS.values()]
    for number, (want, was) in enumerate(zip(wanted, happened, strict=False)):
        if want != was:
            raise NotDeterministic(f"step {number} was {was}, today it is {want}")
    if len(wanted) != len(happened):
        raise NotDeterministic(f"{len(happened)} steps were recorded, today there are {len(wanted)}")


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_todays_orchestrators_take_the_steps_of_recorded_runs(path: Path) -> None:
    recorded = json.loads(path.read_text())
    answer = replay(recorded)
    [ended] = [event for event in recorded["history"] if event["EventType"] == ENDED]
    if ended["OrchestrationStatus"] == "Completed":
        assert answer["isDone"]
        assert answer["output"] == json.loads(ended["Result"])
    else:
        assert (ended["OrchestrationStatus"], answer["isDone"]) == ("Failed", False)
        assert answer["error"] in ended["Result"]
        if recorded["parentInstanceId"] is None:
            assert answer["customStatus"]["failure"]["message"] in ended["Result"]


def test_there_is_a_history_of_every_orchestration() -> None:
    recorded = {json.loads(path.read_text())["name"] for path in HISTORIES}
    # Not through `get_functions`, which an app allows once per process.
    functions = [builder._function for builder in function_app.app._function_builders]
    registered = {one.get_function_name() for one in functions if present(one._trigger).type == "orchestrationTrigger"}
    assert len(registered) > 10
    assert recorded == registered


def test_a_changed_order_of_steps_is_caught() -> None:
    [path] = [path for path in HISTORIES if path.stem == "diamond_run"]
    recorded = copy.deepcopy(json.loads(path.read_text()))
    steps = [event for event in recorded["history"] if event["EventType"] == SCHEDULED]
    steps[0]["Name"], steps[1]["Name"] = steps[1]["Name"], steps[0]["Name"]
    with pytest.raises(NotDeterministic, match="step 0 was"):
        replay(recorded)
