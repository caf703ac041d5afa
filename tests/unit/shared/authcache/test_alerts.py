"""Which folds need a person, and what that person is to do."""

from datetime import UTC, datetime

import pytest

from shared.authcache import alerts
from shared.authcache.folding.steps import Difference, FoldSummary, Synced
from shared.platform.durable import Instance, RunState
from shared.platform.durable.handles import FAILURE

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def fold(state: RunState, output: object = None, progress: object = None) -> Instance:
    return Instance.model_validate(
        {
            "instanceId": "authcache-fold",
            "name": "fold",
            "runtimeStatus": state,
            "createdTime": NOW,
            "lastUpdatedTime": NOW,
            "customStatus": progress,
            "output": output,
        }
    )


def ended(**fields: object) -> Instance:
    return fold(RunState.COMPLETED, FoldSummary.model_validate({"lsn": 7, "records": 2, **fields}).model_dump())


def test_a_fold_that_did_all_needs_nobody() -> None:
    assert alerts.alerts_of(ended()) == []
    assert alerts.alerts_of(ended(synced=Synced(lsn=7, users=1, shares=1))) == []


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.PENDING, RunState.TERMINATED])
def test_a_fold_that_runs_or_was_ended_by_an_operator_needs_nobody(state: RunState) -> None:
    assert alerts.alerts_of(fold(state)) == []


def test_a_fold_that_failed_names_its_cause_and_where_to_look() -> None:
    failure = {"code": "cache-corrupt", "message": "The base could not be made.", "remedy": "Read the tables."}
    [alert] = alerts.alerts_of(fold(RunState.FAILED, "text of the host", {FAILURE: failure}))
    assert alert.cause == "authcache/fold-failed"
    assert "The base could not be made. Read the tables." in alert.text
    assert "GET /ops/runs/authcache-fold" in alert.text
    [other] = alerts.alerts_of(fold(RunState.FAILED, "x" * 5000))
    assert "x" * 1000 in other.text
    assert len(other.text) < 2000


def test_tables_that_are_behind_and_rows_that_are_refused_are_two_alerts() -> None:
    differences = tuple(Difference(table="users", id=f"u{n}", reason="no address") for n in range(30))
    synced = Synced(lsn=7, users=1, shares=0, differences=differences, differences_count=41)
    behind, refused = alerts.alerts_of(ended(behind=("shares", "users"), synced=synced))
    assert (behind.cause, refused.cause) == ("authcache/iceberg-behind", "authcache/iceberg-rows-refused")
    assert "shares, users" in behind.text
    assert "41 rows" in refused.subject
    assert refused.text.count("no address") == alerts.MOST_SHOWN
