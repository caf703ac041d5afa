"""What the durable client asks of the host."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from shared.platform.durable import Context, Nothing, Steps, orchestration
from shared.platform.durable.handles import PAYLOAD_BYTES
from shared.platform.errors import Conflict, PayloadTooLarge
from tests.hostless import Hostless


class Lines(BaseModel):
    lines: list[str]


@orchestration
def unit_lines(context: Context, task: Lines) -> Steps[Lines]:
    """Give back what it was given."""
    yield from ()
    return task


@pytest.mark.parametrize(("answer", "expected"), [((200, {}, {"instancesDeleted": 7}), 7), ((404, {}, None), 0)])
async def test_only_finished_orchestrations_from_before_the_moment_are_purged(
    monkeypatch: pytest.MonkeyPatch, answer: Any, expected: int
) -> None:
    client = Hostless()
    asked: list[Any] = []

    async def ask(*arguments: Any) -> Any:
        asked.append(arguments)
        return answer

    monkeypatch.setattr(client, "_request", ask)
    assert await client.purge_before(datetime(2026, 1, 2, tzinfo=UTC)) == expected
    [(method, path, query)] = asked
    assert (method, path) == ("DELETE", "instances/")
    assert query == {
        "createdTimeFrom": "2000-01-01T00:00:00Z",
        "createdTimeTo": "2026-01-02T00:00:00+00:00",
        "runtimeStatus": "Completed,Failed,Terminated,Canceled",
    }


async def test_an_orchestration_that_runs_is_not_started_and_one_log_line_names_its_instance(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started: list[Any] = []

    class Client(Hostless):
        async def start(self, orchestration: Any, task: Any, *, instance_id: str | None = None) -> str:
            if started:
                raise Conflict("It is running.")
            started.append((orchestration, task))
            return str(instance_id)

    caplog.set_level("INFO")
    purge: Any = "purge"
    assert await Client().start_if_idle(purge, Nothing(), instance_id="nightly")
    assert not caplog.records
    assert not await Client().start_if_idle(purge, Nothing(), instance_id="nightly", past_due=True)
    assert started == [("purge", Nothing())]
    [line] = caplog.records
    assert line.getMessage() == "An orchestration was not started, since it is running."
    assert (line.__dict__["instance_id"], line.__dict__["past_due"]) == ("nightly", True)


async def test_an_input_that_is_too_large_is_refused_before_the_host_is_asked() -> None:
    with pytest.raises(PayloadTooLarge, match="payload-too-large"):
        await Hostless().start(unit_lines, Lines(lines=["x" * PAYLOAD_BYTES]), instance_id="large")
