"""What people read when the feed needs them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.diamonds.reporting.alerts import (
    announce,
    consolidation_held,
    deletion_stopped,
    partitions_failed,
    run_failed,
    run_held,
    watermark_stands_still,
)
from shared.diamonds.runs.models import PartitionProgress, PartitionStatus, PriceRange, RunStatus, RunSummary
from tests.fresh_settings import forget_settings

RUN = RunSummary(
    run_id=UUID(int=7),
    feed="nivoda",
    run_type="full",
    status=RunStatus.PARTIAL,
    expected=53_940,
    ingested=51_234,
    partitions=30,
    started_at=datetime(2026, 1, 2, 2, 0, tzinfo=UTC),
)


def failed(number: int, error: str | None = "the supplier answered 500") -> PartitionProgress:
    return PartitionProgress(
        partition_id=f"p{number:03}",
        prices=PriceRange(minimum=0, maximum=1),
        expected=1_800,
        records=100,
        status=PartitionStatus.FAILED,
        next_offset=100,
        sweep=0,
        updated_at=RUN.started_at,
        error=error,
    )


@pytest.fixture(autouse=True)
def configured(monkeypatch):
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    forget_settings()
    yield
    forget_settings()


def test_failed_partitions_are_named_with_their_reason_and_the_way_out():
    alert = partitions_failed(RUN, [failed(3), failed(9, None)])
    assert alert.cause == f"nivoda/{RUN.run_id}/partitions-failed"
    assert alert.subject == "[Manifold] nivoda: 2 of 30 partitions failed"
    assert "read 51,234 of 53,940 diamonds" in alert.text
    assert "p003: the supplier answered 500\n" in alert.text
    assert "p009: no reason was recorded\n" in alert.text
    assert f'retry-workers {{"run_id": "{RUN.run_id}"}}' in alert.text


def test_a_held_consolidation_says_why_and_how_to_force_it():
    alert = consolidation_held(RUN, [failed(n) for n in range(12)])
    assert alert.cause == f"nivoda/{RUN.run_id}/consolidation-held"
    assert alert.subject == "[Manifold] nivoda: consolidation is held, 12 of 30 partitions failed"
    assert "only if 70% of the partitions were read" in alert.text
    assert f'consolidate {{"run_id": "{RUN.run_id}", "force": true}}' in alert.text


def test_a_run_that_is_held_for_what_it_would_change_says_why_and_both_ways_on():
    reason = "300 of 300 prices at least double or halve (100%), over the limit of 10%."
    run = RUN.model_copy(update={"status": RunStatus.HELD, "error": reason, "error_code": "prices-jumped"})
    alert = run_held(run)
    assert alert.cause == f"nivoda/{RUN.run_id}/run-held", "two runs of a day are two mails"
    assert f"{reason} (prices-jumped)" in alert.text
    assert f'consolidate {{"run_id": "{RUN.run_id}", "force": true}}' in alert.text
    assert f'cancel {{"run_id": "{RUN.run_id}"}}' in alert.text


def test_a_long_list_is_cut():
    text = partitions_failed(RUN, [failed(n) for n in range(25)]).text
    assert "p019" in text
    assert "p020" not in text
    assert "and 5 more" in text


def test_subjects_are_one_line_whatever_the_reasons_hold():
    assert "\n" not in partitions_failed(RUN, [failed(1, "two\nlines")]).subject


async def test_a_run_without_failures_is_not_announced():
    await announce(RUN, [])  # would need the database otherwise, which unit tests do not have


def test_a_failed_run_tells_its_error_and_both_ways_on():
    run = RUN.model_copy(update={"status": RunStatus.FAILED, "error": "No such column.", "error_code": "mapping"})
    alert = run_failed(run)
    assert (alert.cause, alert.subject) == (f"nivoda/{RUN.run_id}/run-failed", "[Manifold] nivoda: the run failed")
    assert "No such column. (mapping)" in alert.text
    assert f'consolidate {{"run_id": "{RUN.run_id}", "force": true}}' in alert.text
    assert 'scheduler {"feed": "nivoda", "run_type": "full"}' in alert.text


def test_a_stopped_deletion_tells_the_numbers_and_the_setting():
    run = RUN.model_copy(update={"missing": 12_000, "error": "12,000 of 50,000 diamonds (24%) ...", "error_code": "x"})
    alert = deletion_stopped(run)
    assert (alert.cause, alert.subject) == (
        f"nivoda/{RUN.run_id}/deletion-stopped",
        "[Manifold] nivoda: 12,000 diamonds are missing, none was deleted",
    )
    assert "12,000 of 50,000 diamonds (24%)" in alert.text
    assert "DELETE_SHARE_LIMIT" in alert.text


@pytest.mark.parametrize(("known", "words"), [(True, "has been read up to"), (False, "has never been read to its end")])
def test_a_watermark_that_stands_still_tells_since_when(known, words):
    alert = watermark_stands_still("brilliant", RUN.started_at, known=known)
    assert alert.cause == "brilliant/watermark-age"
    assert words in alert.text
    assert "2026-01-02 02:00 UTC" in alert.text
