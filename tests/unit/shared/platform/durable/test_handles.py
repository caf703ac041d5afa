"""How a step's model crosses to the host and back, and what is refused on the way."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from shared.platform.durable import Context, Steps, activity, orchestration
from shared.platform.durable.failures import AttemptFailed, Failure
from shared.platform.durable.handles import PAYLOAD_BYTES, Envelope
from shared.platform.errors import Conflict, PayloadTooLarge, TerminalError, TransientError
from tests.present import untyped


class Number(BaseModel):
    n: int


class Texts(BaseModel):
    texts: list[str]


@activity
async def unit_handles_double(task: Number) -> Number:
    if task.n < 0:
        raise Conflict("negative", remedy="Send a positive one.")
    if task.n == 13:
        raise TransientError("unlucky")
    return Number(n=2 * task.n)


@activity
async def unit_handles_repeat(task: Number) -> Texts:
    return Texts(texts=["é" * task.n])


@activity
async def unit_handles_count(task: Texts) -> Number:
    return Number(n=len(task.texts))


@orchestration
def unit_handles_texts(context: Context, task: Texts) -> Steps[Texts]:
    """Give back what it was given."""
    yield from ()
    return task


async def test_an_activity_answers_its_model_and_terminal_errors_as_values() -> None:
    assert Envelope.model_validate_json(await unit_handles_double.answer('{"n": 4}')).value == '{"n":8}'
    refused = Envelope.model_validate_json(await unit_handles_double.answer('{"n": -1}')).failure
    assert refused == Failure(code="conflict", message="negative", remedy="Send a positive one.")
    with pytest.raises(AttemptFailed):
        await unit_handles_double.answer('{"n": 13}')


async def test_an_activity_refuses_what_is_not_its_model() -> None:
    hostile = '{"__class__": "Number", "__module__": "os", "__data__": "x"}'
    refused = Envelope.model_validate_json(await unit_handles_double.answer(hostile)).failure
    assert refused is not None
    assert refused.code == "unreadable-task"


@pytest.mark.parametrize(
    ("characters", "code"), [(PAYLOAD_BYTES // 2 - 20, None), (PAYLOAD_BYTES // 2, "payload-too-large")]
)
async def test_an_answer_is_bounded_in_bytes(characters: int, code: str | None) -> None:
    answered = Envelope.model_validate_json(await unit_handles_repeat.answer(f'{{"n": {characters}}}'))
    assert (answered.failure.code if answered.failure else None) == code


def test_the_input_of_every_step_is_bounded_in_bytes() -> None:
    fits, large = Texts(texts=["é" * 8_000]), Texts(texts=["é" * 8_200])
    assert unit_handles_texts.encode(fits) == fits.model_dump_json()
    for step in (unit_handles_texts, unit_handles_count):
        with pytest.raises(PayloadTooLarge, match="Store the data and pass a reference to it"):
            step.encode(large)


@pytest.mark.parametrize("answer", ["", "null", "{}", '{"value": "{\\"m\\": 1}"}', '{"value": "nonsense"}'])
def test_an_answer_of_another_version_is_refused_with_its_remedy(answer: str) -> None:
    with pytest.raises(TerminalError, match="start it again") as refused:
        unit_handles_double.decode(answer)
    assert refused.value.code == "unreadable-answer"


def test_a_failure_in_an_answer_is_raised_with_its_code_and_remedy() -> None:
    failed = Envelope(failure=Failure(code="conflict", message="negative", remedy="Send a positive one."))
    with pytest.raises(TerminalError, match="negative") as refused:
        unit_handles_double.decode(failed.model_dump_json())
    assert (refused.value.code, refused.value.remedy) == ("conflict", "Send a positive one.")


def test_a_step_takes_one_model_and_gives_one() -> None:
    async def handles_wrong(task: Number) -> int:
        return task.n

    with pytest.raises(TypeError, match="must take one pydantic model and give one"):
        activity(untyped(handles_wrong))


def test_two_modules_have_no_step_of_one_name() -> None:
    async def unit_handles_double(task: Number) -> Number:
        return task

    unit_handles_double.__module__ = "elsewhere"
    with pytest.raises(ValueError, match="two steps are named unit_handles_double"):
        activity(unit_handles_double)
