"""How errors cross a history: those that end a step as values, those that may pass as the text of what was raised."""

from __future__ import annotations

import json

from pydantic import ConfigDict, ValidationError

from shared.platform.errors import ManifoldError, TerminalError, TransientError
from shared.platform.models import LazyModel

STEP_FAILED = "step-failed"
"""Code of what a step raised that is no error of this app's own: a defect, or a library's unexpected error."""
UNEXPECTED = "Try again. If it comes again, tell the operator: the host's log has the cause."
"""Remedy of such an error."""
MESSAGE_LENGTH = 1000


class Failure(LazyModel):
    """An error on its way through a history."""

    model_config = ConfigDict(frozen=True)
    code: str
    message: str
    remedy: str | None = None

    @classmethod
    def of(cls, error: ManifoldError) -> Failure:
        return cls(code=error.code, message=error.message[:MESSAGE_LENGTH], remedy=error.remedy)

    def error(self) -> TerminalError:
        return TerminalError(self.message, code=self.code, remedy=self.remedy)


class AttemptFailed(Exception):
    """What an activity raises for a TransientError, so that the host records a failed attempt.

    The host keeps the text alone, so the text is a Failure as JSON. It has no equals sign: the host takes what stands
    before one for the name of a credential, as in `key=`, and hides the rest of the text.
    """

    def __init__(self, error: TransientError) -> None:
        super().__init__(Failure.of(error).model_dump_json().replace("=", "\\u003d"))


def given_up(step: str, attempts: int, error: Exception) -> Failure:
    """Why a step failed in its last attempt: what the SDK raised, read back.

    The text is the host's, "Activity function 'x' failed: AttemptFailed: {...}", then a serialised .NET exception.
    """
    _, _, raised = str(error).partition(f"Activity function '{step}' failed:")
    kind, _, text = raised.strip().partition(": ")
    tries = f" It was tried {attempts} times." if attempts > 1 else ""
    if kind == AttemptFailed.__name__:
        try:
            found, _ = json.JSONDecoder().raw_decode(text)
            failure = Failure.model_validate(found)
        except (ValueError, ValidationError):
            pass  # cut or changed by the host: no more is known than of any other exception
        else:
            return failure.model_copy(update={"message": f"{failure.message.rstrip('.')}.{tries}"})
    return Failure(
        code=STEP_FAILED,
        message=f"A step failed for a reason that was not expected.{tries}",
        remedy=UNEXPECTED,
    )
