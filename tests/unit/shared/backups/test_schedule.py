"""When a backup is verified, and what is taken while a verification runs."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.backups import schedule
from shared.backups.blobs.names import TIME, BackupName
from shared.backups.models import Verdict

NOW = datetime(2026, 11, 30, 12, 5, tzinfo=UTC)
CHAIN = "20261128T120500Z"


def name(hours: float) -> BackupName:
    return BackupName((NOW - timedelta(hours=hours)).strftime(TIME), CHAIN)


def test_only_a_backup_of_the_last_day_counts_and_the_newest_is_looked_at_first() -> None:
    assert schedule.recent([name(48), name(24), name(23), name(1)], NOW) == [name(1), name(23)]
    assert schedule.recent([], NOW) == []


def test_while_a_verification_runs_the_hours_backup_is_taken_without_one() -> None:
    assert schedule.kinds(verification_due=True) == (True, False)
    assert schedule.kinds(verification_due=False) == (False,)


@pytest.mark.parametrize(("verified", "expected"), [(None, [True, False]), (23.5, [False]), (24.5, [True, False])])
async def test_a_backup_is_verified_where_none_of_the_last_day_was(
    monkeypatch: pytest.MonkeyPatch, verified: float | None, expected: list[bool]
) -> None:
    async def names() -> list[BackupName]:
        return [name(24.5), name(23.5), name(1)]

    async def verdict(backup: str) -> Verdict | None:
        known = verified is not None and backup == name(verified).id
        return Verdict(verdict="different", tables=1, rows=1) if known else None

    async def chain(_: datetime) -> str:
        return CHAIN

    monkeypatch.setattr(schedule, "list_names", names)
    monkeypatch.setattr(schedule, "read_verdict", verdict)
    monkeypatch.setattr(schedule, "chain_for", chain)
    due = await schedule.backups_due(NOW)
    assert [task.verify for task in due] == expected
    assert {(task.id, task.chain) for task in due} == {(NOW.strftime(TIME), CHAIN)}
