"""What the durable client asks of the host."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.hostless import Hostless


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
