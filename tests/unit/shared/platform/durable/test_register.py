"""What the host is given for an orchestration that fails."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.platform.durable import Nothing, Orchestration
from shared.platform.durable.handles import ONCE, Envelope
from shared.platform.durable.register import blueprint
from shared.platform.errors import TerminalError
from tests.present import present

ERROR = TerminalError("No rows.", code="no-rows", remedy="Send some.")
FAILURE = {"code": "no-rows", "message": "No rows.", "remedy": "Send some."}


def context_of(status: Any, parent: str | None) -> SimpleNamespace:
    context = SimpleNamespace(custom_status=status, parent_instance_id=parent, get_input=lambda: "{}")
    context.set_custom_status = lambda status: setattr(context, "custom_status", status)
    return context


def run(context: SimpleNamespace) -> Any:
    """Run an orchestration that fails; its answer."""

    def fail(context: Any, task: Nothing) -> Any:
        raise ERROR
        yield

    step = Orchestration(name="fails", takes=Nothing, gives=Nothing, retry=ONCE, module=__name__, run=fail)
    [builder] = blueprint(step)._function_builders
    entry: Any = builder._function._func
    steps = entry.orchestrator_function(context)
    with pytest.raises(StopIteration) as end:
        next(steps)
    return end.value.value


@pytest.mark.parametrize("status", [None, {"phase": "counting", "done": 3}, "a text"])
def test_the_status_of_a_failed_orchestration_keeps_its_error_and_what_it_showed(status: Any) -> None:
    context = context_of(status, parent=None)
    with pytest.raises(TerminalError) as raised:
        run(context)
    assert raised.value is ERROR
    assert context.custom_status == {**(status if isinstance(status, dict) else {}), "failure": FAILURE}


def test_a_failed_child_answers_its_error() -> None:
    context = context_of({"phase": "counting"}, parent="p")
    assert present(Envelope.model_validate_json(run(context)).failure).model_dump() == FAILURE
    assert context.custom_status == {"phase": "counting"}
