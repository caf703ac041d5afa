"""A fold: in which order its steps go, and what it does where one of them cannot be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestrators.authcache.folding import fold
from shared.authcache.folding.steps import (
    BY_OPERATOR,
    BY_OTHERS,
    Cleaned,
    CleanTask,
    Folded,
    FoldRequest,
    Published,
    Synced,
    SyncTask,
    TableState,
    TableTask,
)
from shared.platform.errors import TerminalError

TABLES = ("users", "shares")
SYNCED = Synced(lsn=7, users=1, shares=0)


def at(lsn: int, foreign: Sequence[str] = ()) -> Any:
    """A step that finds each table at this LSN, some with snapshots of others."""
    return lambda task: TableState(table=task.table, lsn=lsn, files=2, foreign=int(task.table in foreign), snapshot="4")


@pytest.fixture
def steps(player: Any) -> Any:
    """A fold to LSN 7 in which nothing hinders."""
    player.fakes = {
        "fold_log": lambda _: Folded(lsn=7, records=3, tables=TABLES),
        "append_table": at(7),
        "look_at_table": at(7),
        "replace_table": at(7),
        "tidy_table": at(7),
        "fill_cache": lambda _: SYNCED,
        "publish_current": lambda _: Published(lsn=7),
        "clean_log": lambda _: Cleaned(groups=2, segments=0),
    }
    return player


def names(player: Any) -> list[str]:
    return [name for name, _ in player.calls]


def test_the_log_goes_into_the_base_then_to_iceberg_and_only_then_is_cleaned(steps: Any) -> None:
    summary = steps.play(fold, FoldRequest())
    assert names(steps) == ["fold_log", "append_table", "append_table", "publish_current", "clean_log"]
    assert (summary.lsn, summary.records, summary.behind, summary.cleaned, summary.published) == (7, 3, (), 2, True)
    assert summary.files == {"users": 2, "shares": 2}
    assert steps.named("clean_log") == [CleanTask(lsn=7, kept=7)]


def test_the_log_is_kept_for_a_table_that_could_not_be_appended_to(steps: Any) -> None:
    def append(task: TableTask) -> TableState:
        if task.table == "shares":
            raise TerminalError("The catalog refuses it.", code="refused")
        return TableState(table=task.table, lsn=7)

    steps.fakes["append_table"] = append
    summary = steps.play(fold, FoldRequest())
    assert summary.behind == ("shares",)
    assert steps.named("clean_log") == [CleanTask(lsn=7, kept=0)]


def test_tables_that_nobody_else_wrote_to_are_looked_at_and_left(steps: Any) -> None:
    assert steps.play(fold, FoldRequest(sync=True)).synced is None
    assert steps.named("look_at_table") == [TableTask(table=table, lsn=7) for table in TABLES]
    assert "fill_cache" not in names(steps)


def test_what_others_wrote_is_taken_in_and_their_table_rewritten(steps: Any) -> None:
    steps.fakes["look_at_table"] = at(7, foreign=["shares"])
    assert steps.play(fold, FoldRequest(sync=True)).synced == SYNCED
    [task] = steps.named("fill_cache")
    assert isinstance(task, SyncTask)
    assert (task.reason, [state.table for state in task.tables]) == (BY_OTHERS, [*TABLES])
    assert steps.named("replace_table") == [TableTask(table="shares", lsn=7, snapshot="4")]


def test_what_others_wrote_before_an_append_is_taken_in_though_no_look_was_asked_for(steps: Any) -> None:
    first, second = at(6, foreign=["users"]), at(7)

    def append(task: TableTask) -> TableState:
        appended: TableState = (second if len(steps.named("append_table")) > len(TABLES) else first)(task)
        return appended

    steps.fakes["append_table"] = append
    steps.fakes["look_at_table"] = at(6, foreign=["users"])
    summary = steps.play(fold, FoldRequest())
    assert (summary.synced, summary.behind) == (SYNCED, ())
    assert steps.named("replace_table") == [TableTask(table="users", lsn=7, snapshot="4")]


def test_a_base_that_is_damaged_is_filled_from_iceberg_and_folded_again(steps: Any) -> None:
    folded = [Folded(lsn=None, rebuild="It is damaged.", tables=TABLES), Folded(lsn=9, records=1, tables=TABLES)]
    steps.fakes["fold_log"] = lambda _: folded[len(steps.named("fold_log")) - 1]
    steps.fakes["append_table"] = at(9)
    summary = steps.play(fold, FoldRequest())
    assert (summary.lsn, summary.synced) == (9, SYNCED)
    assert [task.reason for task in steps.named("fill_cache")] == ["It is damaged."]
    assert steps.named("replace_table") == []


def test_an_operator_has_it_filled_though_nothing_is_wrong_and_answers_for_the_loss(steps: Any) -> None:
    steps.play(fold, FoldRequest(rebuild=True, accept_loss=True))
    assert [(task.reason, task.accept_loss) for task in steps.named("fill_cache")] == [(BY_OPERATOR, True)]


def test_a_base_that_cannot_be_made_fails_the_fold_and_nothing_is_cleaned(steps: Any) -> None:
    steps.fakes["fold_log"] = lambda _: Folded(lsn=None, rebuild="It is damaged.", tables=TABLES)
    with pytest.raises(TerminalError, match=r"could not be made: It is damaged\."):
        steps.play(fold, FoldRequest())
    assert "clean_log" not in names(steps)


def test_the_nightly_fold_tidies_every_table_before_the_files_are_published(steps: Any) -> None:
    steps.play(fold, FoldRequest(tidy=True))
    assert steps.named("tidy_table") == [TableTask(table=table, lsn=7) for table in TABLES]
    assert names(steps).index("publish_current") > names(steps).index("tidy_table")
