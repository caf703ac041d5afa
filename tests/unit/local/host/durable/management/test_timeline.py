"""The timeline of the page, over histories of real orchestrations."""

import contextlib
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local.host.durable.management.timeline import LONGEST, timeline
from local.host.durable.model import events

AT = "2026-11-21T09:00:00Z"


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        if x == "fail":
            raise ValueError("the activity says no")
        return x

    @app.entity_trigger(context_name="context")
    def counter(context):
        if context.operation_name == "boom":
            raise ValueError("the entity says no")
        context.set_state(context.get_input())
        context.set_result("done")

    @app.orchestration_trigger(context_name="context")
    def kid(context):
        return (yield context.call_activity("act", "kid"))

    @app.orchestration_trigger(context_name="context")
    def everything(context):
        entity = df.EntityId("counter", "one")
        context.signal_entity(entity, "set", 1)
        yield context.call_entity(entity, "set", 2)
        with contextlib.suppress(Exception):
            yield context.call_entity(entity, "boom")
        due = context.current_utc_datetime + timedelta(seconds=60)
        timers = [context.create_timer(due + timedelta(hours=1)), context.create_timer(due), context.create_timer(due)]
        event = context.wait_for_external_event("go")
        yield context.task_any([*timers, event])
        timers[0].cancel()
        yield context.task_all(timers[1:])
        yield context.call_sub_orchestrator("kid", None, "the-kid")
        yield context.call_activity("act", "fail")

    return app


async def spans(lab: Any, one: Any, instance_id: str) -> list[tuple[str, str]]:
    drawn = one.extension.details(instance_id)["timeline"]["spans"]
    return [(span["label"], span["kind"]) for span in drawn]


async def test_everything_has_its_name_and_its_colour(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    one.start("everything", instance_id="x")
    await one.rest()
    one.operations.suspend("x", "a pause")
    await one.rest()
    one.operations.resume("x", "enough")
    one.event("x", "go", 1)
    await one.rest()
    open_timer = ("timer", "wait")
    before = await spans(lab, one, "x")
    assert before[4:] == [open_timer, open_timer, open_timer, ("suspended", "wait"), ("event go", "wait")]
    await one.until("x", "Failed")
    assert await spans(lab, one, "x") == [
        ("started", "run"),
        ("signal counter one: set", "ok"),
        ("counter one: set", "ok"),
        ("counter one: boom", "bad"),
        ("timer cancelled", "off"),
        ("timer fired", "wait"),
        ("timer fired", "wait"),
        ("suspended", "wait"),
        ("event go", "wait"),
        ("kid", "ok"),
        ("act", "bad"),
        ("failed", "bad"),
    ]
    drawn = {span["label"]: span for span in one.extension.details("x")["timeline"]["spans"]}
    assert drawn["kid"]["instance"] == "the-kid"
    assert "the activity says no" in drawn["act"]["text"]
    assert "the entity says no" in drawn["counter one: boom"]["text"]


async def test_a_rewind_is_named(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    one.start("everything", instance_id="x")
    await one.rest()
    one.event("x", "go", 1)
    await one.until("x", "Failed")
    one.operations.rewind("x", "once more")
    await one.rest()
    labels = [label for label, _ in await spans(lab, one, "x")]
    assert "rewound" in labels
    assert labels[-1] == "failed"


def test_a_long_history_is_cut_and_says_so() -> None:
    raised = [events.event_raised("e", "1", AT) for _ in range(LONGEST + 7)]
    drawn = timeline(raised, AT)
    assert (len(drawn["spans"]), drawn["more"]) == (LONGEST, 7)


def test_an_entity_has_none() -> None:
    assert timeline([], AT) == {"spans": [], "more": 0}
