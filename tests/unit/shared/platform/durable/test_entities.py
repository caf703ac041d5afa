"""Typed entities and races, driven through the SDK with the histories that the host would send."""

from __future__ import annotations

import json
from typing import Any

from azure.durable_functions import DurableEntityContext
from azure.durable_functions.entity import Entity as SdkEntity
from pydantic import BaseModel

from shared.platform.durable import ENTITIES, blueprint, entity
from shared.platform.durable.entities import OPERATION, entity_function
from shared.platform.durable.handles import Envelope
from shared.platform.errors import Conflict
from tests.present import present


class Total(BaseModel):
    value: int = 0


class Add(BaseModel):
    by: int


class Sum(BaseModel):
    total: int


@entity
def unit_total(state: Total, request: Add) -> tuple[Total, Sum]:
    """Adds up, and refuses to go below zero."""
    if state.value + request.by < 0:
        raise Conflict("negative")
    after = Total(value=state.value + request.by)
    return after, Sum(total=after.value)


del ENTITIES["unit_total"]  # the app's own entities are compared with what the host knows


def batch(state: str | None, *requests: str) -> dict[str, Any]:
    """What the SDK answers the host for a batch; the extension encodes inputs a second time."""
    operations = [{"name": OPERATION, "input": json.dumps(json.dumps(one)), "isSignal": False} for one in requests]
    context = {"self": {"name": "unit_total", "key": "k"}, "exists": state is not None, "state": state}
    ctx, given = DurableEntityContext.from_json(json.dumps(context | {"batch": operations}))
    return json.loads(SdkEntity(entity_function(unit_total)).handle(ctx, given))


def envelope(result: dict[str, Any]) -> Envelope:
    return Envelope.model_validate_json(json.loads(result["result"]))


def test_an_entity_keeps_its_state_from_batch_to_batch() -> None:
    first = batch(None, '{"by":2}', '{"by":3}')
    assert [envelope(one).value for one in first["results"]] == ['{"total":2}', '{"total":5}']
    assert envelope(batch(first["entityState"], '{"by":1}')["results"][0]).value == '{"total":6}'


def test_a_refusal_changes_nothing_and_travels_as_a_value() -> None:
    state = batch(None, '{"by":2}')["entityState"]
    answer = batch(state, '{"by":-3}', "nonsense")
    assert [present(envelope(one).failure).code for one in answer["results"]] == ["conflict", "unreadable-task"]
    assert not any(one["isError"] for one in answer["results"])
    assert answer["entityState"] == state


def test_an_entity_is_registered_under_its_name() -> None:
    [builder] = blueprint(unit_total)._function_builders
    assert present(builder._function.get_trigger()).type == "entityTrigger"
    assert builder._function._name == "unit_total"
