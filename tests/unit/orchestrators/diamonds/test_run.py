"""The order of a diamond run, with every activity faked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from orchestrators.diamonds.run import CONSOLIDATION_WORKERS, consolidate_feed, consolidate_run, diamond_run, retry_run
from orchestrators.diamonds.upkeep import purge_feeds, watch_feeds
from shared.diamonds.ingestion.models import IngestPartition, PagesIngested
from shared.diamonds.pricing.models import ConsolidateFeed, RowsConsolidated
from shared.diamonds.runs.models import (
    EPOCH,
    ConsolidateRun,
    EndRun,
    Interruption,
    MissingDiamonds,
    Partition,
    Partitions,
    PriceRange,
    Purged,
    PurgeRows,
    Reopened,
    RetryRun,
    RunPlan,
    RunRef,
    RunStatus,
    RunSummary,
    StartRun,
    Verdict,
    WatchFeeds,
    WatermarkMoved,
    Window,
)
from shared.platform.durable import Nothing
from shared.platform.errors import Conflict, TerminalError, TransientError

RUN = UUID(int=7)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = RunPlan(
    run_id=RUN,
    feed="nivoda",
    run_type="full",
    window=Window(since=EPOCH, until=NOW),
    started_at=NOW,
    watermark_before=None,
    max_records=0,
)
SHARES = [
    Partition(partition_id=f"p{n:03}", prices=PriceRange(minimum=n * 100, maximum=n * 100 + 100), expected=10)
    for n in range(4)
]


GO = Verdict(decision="go", partitions=4, complete=True)
WAIT = Verdict(decision="wait", wait_seconds=300, unread=1, partitions=4)
HOLD = Verdict(decision="hold", unread=2, partitions=4)


class Feed:
    """A feed whose partitions need two time boxes; those in `broken` fail for good."""

    def __init__(self, *broken: str, verdicts: list[Verdict] | None = None) -> None:
        self.broken = broken
        self.verdicts = verdicts or [GO]
        self.boxes: dict[str, int] = {}

    def fakes(self) -> dict[str, Any]:
        return {
            "plan_run": lambda _: PLAN,
            "draw_heatmap": lambda _: Partitions(total=40, partitions=SHARES, counts_asked=9),
            "ingest_pages": self.ingest,
            "record_failed_partition": lambda _: Nothing(),
            "judge_run": lambda _: self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0],
            "consolidate_rows": lambda _: RowsConsolidated(done=10, failed=0, finished=True),
            "advance_watermark": lambda _: WatermarkMoved(watermark=NOW),
            "end_run": lambda end: RunSummary(
                run_id=RUN, feed="nivoda", run_type="full", status=end.status, started_at=NOW
            ),
            "reopen_run": lambda retry: Reopened(plan=PLAN, partitions=[SHARES[1]]),
            "resume_run": lambda _: PLAN,
            "mark_missing": lambda _: MissingDiamonds(active=40, missing=0, deleted=True),
            "announce": lambda _: Nothing(),
        }

    def ingest(self, task: IngestPartition) -> PagesIngested:
        name = task.partition.partition_id
        if name in self.broken:
            raise TerminalError("the supplier refuses", code="supplier-refused")
        self.boxes[name] = self.boxes.get(name, 0) + 1
        return PagesIngested(next_offset=5, records=5, changed=5, done=self.boxes[name] == 2)


START = StartRun(run_id=RUN, feed="nivoda", run_type="full")


def test_a_run_goes_from_plan_to_watermark(player: Any) -> None:
    feed = Feed()
    player.fakes = feed.fakes()
    summary = player.play(diamond_run, START)
    assert summary.status is RunStatus.COMPLETED
    assert feed.boxes == {share.partition_id: 2 for share in SHARES}
    assert len({share.worker for share in player.named("consolidate_rows")}) == CONSOLIDATION_WORKERS
    assert player.named("end_run") == [EndRun(run_id=RUN, status=RunStatus.COMPLETED, watermark_after=NOW)]
    assert player.named("announce") == []


def test_a_feed_that_is_taken_is_refused_and_its_run_is_left_alone(player: Any) -> None:
    def taken(_: StartRun) -> RunPlan:
        raise Conflict("Run x is running.", code="run-in-progress")

    player.fakes = Feed().fakes() | {"plan_run": taken}
    with pytest.raises(TerminalError, match="run-in-progress"):
        player.play(diamond_run, START)
    assert [name for name, _ in player.calls] == ["plan_run"]


def test_failed_partitions_are_recorded_and_below_the_threshold_consolidation_is_held(player: Any) -> None:
    hold = HOLD
    player.fakes = Feed("p001", "p003", verdicts=[hold]).fakes()
    summary = player.play(diamond_run, START)
    assert summary.status is RunStatus.HELD
    assert [failed.partition_id for failed in player.named("record_failed_partition")] == ["p001", "p003"]
    assert "supplier-refused" in player.named("record_failed_partition")[0].error
    assert player.named("consolidate_rows") == []
    assert player.named("advance_watermark") == []
    assert player.named("announce") == [RunRef(run_id=RUN)]


def _no_mail(_: RunRef) -> Nothing:
    raise TerminalError("550 no such user", code="mail-refused")


@pytest.mark.parametrize(
    ("verdicts", "status"), [([HOLD], RunStatus.HELD), ([WAIT], RunStatus.PARTIAL)], ids=["held", "partial"]
)
def test_a_refused_mail_changes_nothing_about_the_run(player: Any, verdicts: list[Verdict], status: RunStatus) -> None:
    player.fakes = Feed("p001", verdicts=verdicts).fakes() | {"announce": _no_mail}
    assert player.play(diamond_run, START).status is status
    assert [end.status for end in player.named("end_run")] == [status]


def test_a_refused_mail_does_not_hide_why_the_run_failed(player: Any) -> None:
    def broken(_: Any) -> RowsConsolidated:
        raise TerminalError("no such column", code="mapping")

    player.fakes = Feed().fakes() | {"consolidate_rows": broken, "announce": _no_mail}
    with pytest.raises(TerminalError, match="no such column"):
        player.play(diamond_run, START)


def test_above_the_threshold_it_waits_consolidates_and_leaves_the_watermark(player: Any) -> None:
    wait = WAIT
    player.fakes = Feed("p001", verdicts=[wait]).fakes()
    summary = player.play(diamond_run, START)
    assert summary.status is RunStatus.PARTIAL
    assert player.timers == [300]
    assert player.named("advance_watermark") == []


def test_partitions_repaired_during_the_wait_complete_the_run(player: Any) -> None:
    wait = WAIT
    go = GO
    player.fakes = Feed("p001", verdicts=[wait, go]).fakes()
    assert player.play(diamond_run, START).status is RunStatus.COMPLETED
    assert len(player.named("advance_watermark")) == 1


def test_a_transient_failure_of_an_activity_is_tried_again_after_a_delay(player: Any) -> None:
    failures = [TransientError("busy")] * 2
    fakes = Feed().fakes()
    draw = fakes["draw_heatmap"]

    def flaky(plan: RunPlan) -> Partitions:
        if failures:
            raise failures.pop()
        return draw(plan)

    player.fakes = fakes | {"draw_heatmap": flaky}
    assert player.play(diamond_run, START).status is RunStatus.COMPLETED
    assert player.timers == [5, 10]


def test_when_consolidation_fails_the_run_fails_and_the_watermark_stays(player: Any) -> None:
    def broken(_: Any) -> RowsConsolidated:
        raise TerminalError("no such column", code="mapping")

    player.fakes = Feed().fakes() | {"consolidate_rows": broken}
    with pytest.raises(TerminalError, match="no such column"):
        player.play(diamond_run, START)
    assert [end.status for end in player.named("end_run")] == [RunStatus.FAILED]
    assert player.named("advance_watermark") == []
    assert len(player.named("announce")) == 1


def test_forcing_a_held_run_consolidates_it_without_moving_the_watermark(player: Any) -> None:
    hold = HOLD
    player.fakes = Feed(verdicts=[hold]).fakes()
    summary = player.play(consolidate_run, ConsolidateRun(run_id=RUN, force=True))
    assert summary.status is RunStatus.PARTIAL
    assert len(player.named("consolidate_rows")) == CONSOLIDATION_WORKERS
    assert player.named("advance_watermark") == []


def test_progress_counts_the_partitions(player: Any) -> None:
    player.fakes = Feed().fakes()
    player.play(diamond_run, START)
    ingesting = [one["percent"] for one in player.statuses if one["phase"] == "ingesting"]
    assert ingesting == [0, 25, 50, 75, 100]


def cancelled(_: Any) -> Any:
    raise Conflict("Run 7 is no longer running.", code="run-ended")


@pytest.mark.parametrize("step", ["draw_heatmap", "ingest_pages", "judge_run", "consolidate_rows", "mark_missing"])
def test_a_cancelled_run_ends_as_cancelled_wherever_it_is(player: Any, step: str) -> None:
    player.fakes = Feed().fakes() | {step: cancelled}
    assert player.play(diamond_run, START).status is RunStatus.CANCELLED
    assert [end.status for end in player.named("end_run")] == [RunStatus.CANCELLED]
    assert (
        player.named("record_failed_partition") == player.named("announce") == player.named("advance_watermark") == []
    )


def test_a_failed_run_says_why_on_its_row(player: Any) -> None:
    def broken(_: Any) -> RowsConsolidated:
        raise TerminalError("no such column " * 60, code="mapping")

    player.fakes = Feed().fakes() | {"consolidate_rows": broken}
    with pytest.raises(TerminalError):
        player.play(diamond_run, START)
    (end,) = player.named("end_run")
    assert (end.status, end.error_code, len(end.error)) == (RunStatus.FAILED, "mapping", 500)


def test_a_retry_reads_the_reopened_partitions_and_goes_on_to_the_watermark(player: Any) -> None:
    feed = Feed()
    player.fakes = feed.fakes()
    assert player.play(retry_run, RetryRun(run_id=RUN)).status is RunStatus.COMPLETED
    assert set(feed.boxes) == {"p001"}
    assert len(player.named("mark_missing")) == len(player.named("advance_watermark")) == 1


def test_a_retry_that_is_refused_leaves_the_run_alone(player: Any) -> None:
    def refused(_: RetryRun) -> Reopened:
        raise Conflict("No such partition has failed.", code="nothing-to-retry")

    player.fakes = Feed().fakes() | {"reopen_run": refused}
    with pytest.raises(TerminalError, match="nothing-to-retry"):
        player.play(retry_run, RetryRun(run_id=RUN))
    assert [name for name, _ in player.calls] == ["reopen_run"]


def test_a_run_in_its_pause_is_told_to_retry(player: Any) -> None:
    feed = Feed("p001", verdicts=[WAIT, GO])
    player.fakes = feed.fakes()
    player.events = [Interruption(retry=RetryRun(run_id=RUN))]
    feed_ingest = feed.ingest

    def repaired(task: IngestPartition) -> PagesIngested:
        if player.named("reopen_run"):
            feed.broken = ()
        return feed_ingest(task)

    player.fakes["ingest_pages"] = repaired
    assert player.play(diamond_run, START).status is RunStatus.COMPLETED
    assert player.timers == []
    assert feed.boxes["p001"] == 2


def test_a_run_in_its_pause_is_told_to_go_on(player: Any) -> None:
    player.fakes = Feed("p001", verdicts=[WAIT]).fakes()
    player.events = [Interruption()]
    assert player.play(diamond_run, START).status is RunStatus.PARTIAL
    assert player.timers == []


def test_a_retry_asked_for_twice_does_not_fail_the_run(player: Any) -> None:
    def refused(_: RetryRun) -> Reopened:
        raise Conflict("No such partition has failed.", code="nothing-to-retry")

    player.fakes = Feed("p001", verdicts=[WAIT]).fakes() | {"reopen_run": refused}
    player.events = [Interruption(retry=RetryRun(run_id=RUN))]
    assert player.play(diamond_run, START).status is RunStatus.PARTIAL
    assert player.timers == [300], "it waits on"


def test_a_capped_run_moves_no_watermark_and_deletes_nothing(player: Any) -> None:
    """A run that MAX_SCHEDULER_RECORDS cut short has not seen what it left out."""
    player.fakes = Feed(verdicts=[GO.model_copy(update={"capped": True})]).fakes()
    assert player.play(diamond_run, START).status is RunStatus.COMPLETED
    assert player.named("mark_missing") == player.named("advance_watermark") == []


def test_only_a_full_run_says_what_is_missing(player: Any) -> None:
    plan = PLAN.model_copy(update={"run_type": "incremental"})
    player.fakes = Feed().fakes() | {"plan_run": lambda _: plan}
    player.play(diamond_run, START)
    assert (len(player.named("mark_missing")), len(player.named("advance_watermark"))) == (0, 1)


def test_a_stopped_deletion_is_told_and_the_watermark_moves(player: Any) -> None:
    stopped = MissingDiamonds(active=40, missing=20, deleted=False)
    player.fakes = Feed().fakes() | {"mark_missing": lambda _: stopped}
    assert player.play(diamond_run, START).status is RunStatus.COMPLETED
    assert [name for name, _ in player.calls][-3:] == ["advance_watermark", "end_run", "announce"]


def test_a_run_without_partitions_is_never_taken_for_a_complete_one(player: Any) -> None:
    """A failed heatmap left a run with nothing read: forced, it must not move the watermark ahead of the data."""
    player.fakes = Feed(verdicts=[Verdict(decision="hold")]).fakes()
    assert player.play(consolidate_run, ConsolidateRun(run_id=RUN, force=True)).status is RunStatus.PARTIAL
    assert player.named("advance_watermark") == []


def test_upkeep_does_each_part_even_if_another_fails(player: Any) -> None:
    def away(_: object) -> Nothing:
        raise TerminalError("no database is named", code="settings")

    parts = ["end_lost_runs", "end_lost_repricings", "recover_claims", "watch_watermarks"]
    player.fakes = dict.fromkeys(parts, lambda _: Nothing()) | dict.fromkeys(parts[::3], away)
    with pytest.raises(TerminalError, match="no database"):
        player.play(watch_feeds, WatchFeeds(abandoned=[RUN]))
    assert [name for name, _ in player.calls] == parts
    assert player.named("end_lost_runs") == [WatchFeeds(abandoned=[RUN])]


def test_what_was_given_another_try_is_consolidated_without_a_run(player: Any) -> None:
    player.fakes = Feed().fakes()
    player.play(consolidate_feed, ConsolidateFeed(feed="nivoda"))
    shares = player.named("consolidate_rows")
    assert {share.run_id for share in shares} == {None}
    assert len({share.worker for share in shares}) == CONSOLIDATION_WORKERS
    assert {name for name, _ in player.calls} == {"consolidate_rows"}


def test_a_run_whose_end_cannot_be_written_down_fails_and_is_left_to_who_looks_for_lost_runs(player: Any) -> None:
    def away(_: object) -> Nothing:
        raise TerminalError("gone", code="postgres-unavailable")

    player.fakes = Feed().fakes() | {"judge_run": away, "end_run": away}
    with pytest.raises(TerminalError, match="gone"):
        player.play(diamond_run, START)
    assert player.named("advance_watermark") == []


def test_the_purge_goes_on_from_where_its_time_box_ended(player: Any) -> None:
    boxes = [Purged(raw=5, after=("nivoda", "s5")), Purged(sightings=3, after=("nivoda", "s9"), finished=True)]
    player.fakes = {"purge_rows": lambda _: boxes.pop(0)}
    player.play(purge_feeds, PurgeRows())
    assert player.named("purge_rows") == [PurgeRows(), PurgeRows(after=("nivoda", "s5"))]
