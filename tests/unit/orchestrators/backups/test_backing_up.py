"""The order in which a backup is taken and verified, and what becomes of one that cannot be restored."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrators.backups.backing_up import MOST_BOXES, back_up
from shared.backups.models import (
    BackupProgress,
    BackupRef,
    BuildIndexes,
    BuiltIndexes,
    Rejection,
    RestoredTable,
    RestorePlan,
    TableRef,
    TakeAndVerify,
    Verdict,
)
from shared.platform.durable import Nothing
from shared.platform.errors import TerminalError

ID = "20261101T000100Z"
VERIFIED = TakeAndVerify(id=ID, chain="20261101T000000Z", verify=True)


@pytest.fixture
def steps(player: Any) -> Any:
    """A backup of two tables, of which one comes late; each is loaded in one time box."""
    player.fakes = {
        "take_backup": lambda _: BackupProgress(done=True, chunks=2, total=2, rows=7, new_bytes=40),
        "prepare_scratch": lambda _: RestorePlan(early=["papers.papers"], late=["papers.vectors_1"], differences=[]),
        "load_scratch": lambda _: RestoredTable(done=True, rows=1),
        "build_scratch": lambda _: BuiltIndexes(done=True),
        "verify_scratch": lambda _: Verdict(verdict="same", tables=2, rows=7),
        "clear_scratch": lambda _: Nothing(),
        "reject_backup": lambda _: Nothing(),
    }
    return player


def test_a_backup_is_exported_in_time_boxes_and_no_more_is_done_where_it_is_not_verified(steps: Any) -> None:
    boxes = iter([(False, 30), (True, 12)])

    def take(_: object) -> BackupProgress:
        done, new_bytes = next(boxes)
        return BackupProgress(done=done, chunks=1, total=2, rows=7, new_bytes=new_bytes)

    steps.fakes["take_backup"] = take
    outcome = steps.play(back_up, VERIFIED.model_copy(update={"verify": False}))
    assert (outcome.rows, outcome.new_bytes, outcome.verified) == (7, 42, None)
    assert {name for name, _ in steps.calls} == {"take_backup"}


def test_what_comes_late_is_loaded_after_the_keys_of_the_rest_and_the_copy_is_dropped(steps: Any) -> None:
    assert steps.play(back_up, VERIFIED).verified is True
    assert [task for name, task in steps.calls if name in {"load_scratch", "build_scratch"}] == [
        TableRef(id=ID, table="papers.papers"),
        BuildIndexes(id=ID, late=False),
        TableRef(id=ID, table="papers.vectors_1"),
        BuildIndexes(id=ID, late=True),
    ]
    assert steps.calls[-1] == ("clear_scratch", BackupRef(id=ID))


def test_tables_that_are_not_done_go_on_alone(steps: Any) -> None:
    loaded: list[str] = []

    def load(task: TableRef) -> RestoredTable:
        loaded.append(task.table)
        return RestoredTable(done=task.table == "a" or loaded.count("b") == 3, rows=1)

    steps.fakes |= {
        "prepare_scratch": lambda _: RestorePlan(early=["a", "b"], late=[], differences=[]),
        "load_scratch": load,
    }
    assert steps.play(back_up, VERIFIED).verified is True
    assert loaded == ["a", "b", "b", "b"]


def test_a_backup_that_cannot_be_restored_is_rejected_with_the_reason(steps: Any) -> None:
    def refuse(_: object) -> RestorePlan:
        raise TerminalError("A chunk is damaged." + "x" * 2_000, code="backup-corrupt")

    steps.fakes["prepare_scratch"] = refuse
    with pytest.raises(TerminalError, match="A chunk is damaged"):
        steps.play(back_up, VERIFIED)
    [rejection] = steps.named("reject_backup")
    assert isinstance(rejection, Rejection)
    assert (rejection.id, rejection.code, len(rejection.reason)) == (ID, "backup-corrupt", 1_000)


def test_a_table_that_never_ends_names_the_setting_that_helps(steps: Any) -> None:
    steps.fakes["load_scratch"] = lambda _: RestoredTable(done=False, rows=1)
    with pytest.raises(TerminalError, match=r"papers\.papers was not restored") as refused:
        steps.play(back_up, VERIFIED)
    assert refused.value.code == "too-many-time-boxes"
    assert "BACKUPS_BOX_SECONDS" in str(refused.value.remedy)
    assert len(steps.named("load_scratch")) == MOST_BOXES


def test_a_backup_that_differs_is_no_failure(steps: Any) -> None:
    steps.fakes["verify_scratch"] = lambda _: Verdict(verdict="different", tables=2, rows=7, differences=["a: others"])
    assert steps.play(back_up, VERIFIED).verified is False
    assert steps.named("reject_backup") == []
