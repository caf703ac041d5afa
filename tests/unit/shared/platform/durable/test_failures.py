"""Errors of steps, on their way through the text that the host keeps of them."""

from __future__ import annotations

import logging

import pytest

from shared.platform.durable import ONCE, UNEXPECTED, Activity, Failure
from shared.platform.durable.failures import MESSAGE_LENGTH, AttemptFailed, given_up
from shared.platform.errors import TransientError
from tests.failed_attempts import failed_attempt

UNREACHABLE = TransientError(
    "The host git.example could not be reached: Connection refused.",
    code="git-host-unavailable",
    remedy="Try again later.",
)


def test_defect_a_step_that_is_given_up_ends_with_the_code_and_the_remedy_of_its_last_error() -> None:
    assert given_up("sync_files", 4, failed_attempt("sync_files", UNREACHABLE)) == Failure(
        code="git-host-unavailable",
        message="The host git.example could not be reached: Connection refused. It was tried 4 times.",
        remedy="Try again later.",
    )


def test_a_step_without_a_second_attempt_ends_as_its_error_says() -> None:
    assert given_up("sync_files", 1, failed_attempt("sync_files", UNREACHABLE)) == Failure.of(UNREACHABLE)


def test_older_hosts_write_two_spaces_before_what_was_raised() -> None:
    text = str(failed_attempt("sync_files", UNREACHABLE)).replace(" failed: ", " failed:  ")
    assert given_up("sync_files", 1, Exception(text)) == Failure.of(UNREACHABLE)


@pytest.mark.parametrize(
    "message",
    [
        "Azure answered: https://a.example/?code=abc&sig=\"x\" key=y AccountKey='z'.",
        'He said "no" \\ and\nleft: {"code": 1} \n {}.',
        "Größe 🎈.",
    ],
)
def test_what_a_host_hides_or_cuts_in_texts_does_not_change_an_error(message: str) -> None:
    error = TransientError(message, code="busy")
    assert given_up("sync_files", 1, failed_attempt("sync_files", error)) == Failure.of(error)


def test_the_text_of_an_error_is_bounded() -> None:
    error = TransientError("x" * 100_000)
    assert len(str(AttemptFailed(error))) < MESSAGE_LENGTH + 100


@pytest.mark.parametrize(
    "raised",
    [
        failed_attempt("plan_run", KeyError("cursor")),
        failed_attempt("plan_run", ValueError('AttemptFailed: {"code": "x", "message": "y"}')),
        failed_attempt("plan_run", RuntimeError("one of another step")),
        Exception('Activity function \'plan_run\' failed: AttemptFailed: {"code": "cut'),
        Exception("Activity function 'plan_run' failed: AttemptFailed: [1]"),
        Exception("Activity function 'plan_run' failed: TransientError: of an app before (code)"),
        Exception("Connection refused (127.0.0.1:9)"),
    ],
    ids=range(7),
)
def test_defect_names_of_functions_and_classes_are_not_shown_for_what_was_not_expected(raised: Exception) -> None:
    assert given_up("plan_run", 3, raised) == Failure(
        code="step-failed",
        message="A step failed for a reason that was not expected. It was tried 3 times.",
        remedy=UNEXPECTED,
    )


async def test_a_failed_attempt_leaves_its_stack_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def away(task: Failure) -> Failure:
        raise UNREACHABLE

    step = Activity(name="away", takes=Failure, gives=Failure, retry=ONCE, module=__name__, run=away)
    with caplog.at_level(logging.WARNING), pytest.raises(AttemptFailed):
        await step.answer(Failure(code="x", message="y").model_dump_json())
    [line] = [one for one in caplog.records if one.message == "An attempt at a step failed."]
    assert vars(line)["code"] == "git-host-unavailable"
    assert "in away" in caplog.text
