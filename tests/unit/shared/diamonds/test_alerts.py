"""What people read when the feed needs them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.diamonds.alerts import announce, consolidation_held, partitions_failed
from shared.diamonds.models import PartitionProgress, PriceRange, RunStatus, RunSummary
from shared.platform.settings import settings

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
        status="failed",
        next_offset=100,
        sweep=0,
        updated_at=RUN.started_at,
        error=error,
    )


@pytest.fixture(autouse=True)
def configured(monkeypatch):
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_failed_partitions_are_named_with_their_reason_and_the_way_out():
    alert = partitions_failed(RUN, [failed(3), failed(9, None)])
    assert alert.cause == "nivoda/partitions-failed"
    assert alert.subject == "[Manifold] nivoda: 2 of 30 partitions failed"
    assert "read 51,234 of 53,940 diamonds" in alert.text
    assert "p003: the supplier answered 500\n" in alert.text
    assert "p009: no reason was recorded\n" in alert.text
    assert f'retry-workers {{"run_id": "{RUN.run_id}"}}' in alert.text


def test_a_held_consolidation_says_why_and_how_to_force_it():
    alert = consolidation_held(RUN, [failed(n) for n in range(12)])
    assert alert.cause == "nivoda/consolidation-held"
    assert alert.subject == "[Manifold] nivoda: consolidation is held, 12 of 30 partitions failed"
    assert "only if 70% of the partitions were read" in alert.text
    assert f'consolidate {{"run_id": "{RUN.run_id}", "force": true}}' in alert.text


def test_a_long_list_is_cut():
    text = partitions_failed(RUN, [failed(n) for n in range(25)]).text
    assert "p019" in text
    assert "p020" not in text
    assert "and 5 more" in text


def test_subjects_are_one_line_whatever_the_reasons_hold():
    assert "\n" not in partitions_failed(RUN, [failed(1, "two\nlines")]).subject


async def test_a_run_without_failures_is_not_announced():
    await announce(RUN, [])  # would need the database otherwise, which unit tests do not have
