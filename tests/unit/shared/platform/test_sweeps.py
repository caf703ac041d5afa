"""One timer for all sweeps: each asks first, and none is in another's way."""

import pytest

from shared.platform.errors import TransientError
from shared.platform.sweeps import Sweep, run_due
from tests.hostless import Hostless


class Recorder:
    """A sweep that notes that it was run."""

    def __init__(self, name: str, due: object, failure: Exception | None = None) -> None:
        self.runs = 0
        self.sweep = Sweep(name, due=self.ask, run=self.run)
        self._due = due
        self._failure = failure

    async def ask(self, client: object) -> bool:
        if isinstance(self._due, Exception):
            raise self._due
        return bool(self._due)

    async def run(self, client: object) -> None:
        self.runs += 1
        if self._failure:
            raise self._failure


async def test_only_what_is_due_is_run():
    idle, busy = Recorder("idle", due=False), Recorder("busy", due=True)
    assert await run_due([idle.sweep, busy.sweep], Hostless()) == ["busy"]
    assert (idle.runs, busy.runs) == (0, 1)


async def test_a_question_without_an_answer_counts_as_a_yes(caplog):
    unknown = Recorder("unknown", due=TransientError("the store is away"))
    assert await run_due([unknown.sweep], Hostless()) == ["unknown"]
    assert unknown.runs == 1
    assert "the store is away" in caplog.text


@pytest.mark.parametrize("failure", [TransientError("away"), ValueError("a bug")])
async def test_a_sweep_that_fails_does_not_keep_the_others(failure, caplog):
    broken, next_one = Recorder("broken", due=True, failure=failure), Recorder("next", due=True)
    assert await run_due([broken.sweep, next_one.sweep], Hostless()) == ["broken", "next"]
    assert next_one.runs == 1
    assert [record.sweep for record in caplog.records] == ["broken"]
