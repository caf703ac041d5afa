"""Who decides what becomes of a run: the rule, whatever the partitions are."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.diamonds.runs.models import PRICES_END, PartitionProgress, PartitionStatus, PriceRange
from shared.diamonds.runs.verdict import judge


def partitions(statuses, end=PRICES_END):
    edges = [*range(len(statuses)), end]
    return [
        PartitionProgress(
            partition_id=f"p{number:03}",
            prices=PriceRange(minimum=edges[number], maximum=edges[number + 1]),
            expected=1,
            records=1,
            status=status,
            next_offset=1,
            sweep=0,
            updated_at=datetime.now(UTC),
        )
        for number, status in enumerate(statuses)
    ]


statuses = st.lists(st.sampled_from(PartitionStatus), max_size=30)
shares = st.floats(0.01, 1)


@given(statuses, shares, st.integers(0, 900))
def test_a_run_goes_on_by_itself_only_when_all_was_read(statuses, share, wait):
    verdict = judge(partitions(statuses), share, wait)
    assert verdict.partitions == len(statuses)
    assert verdict.unread == sum(status != "completed" for status in statuses)
    assert verdict.complete == (verdict.decision == "go") == (len(statuses) > 0 and verdict.unread == 0)
    assert verdict.wait_seconds == (wait if verdict.decision == "wait" else 0)


@given(statuses, shares)
def test_it_is_held_exactly_when_less_than_the_share_was_read(statuses, share):
    verdict = judge(partitions(statuses), share, 300)
    read = len(statuses) - verdict.unread
    assert (verdict.decision == "hold") == (not statuses or read < share * len(statuses))


@given(statuses.filter(bool), shares)
def test_one_partition_more_that_was_read_never_makes_it_worse(statuses, share):
    order = {"hold": 0, "wait": 1, "go": 2}
    before = judge(partitions(statuses), share, 300)
    better = [PartitionStatus.COMPLETED, *statuses[1:]]
    assert order[judge(partitions(better), share, 300).decision] >= order[before.decision]


@given(statuses.filter(bool), st.integers(1_000, PRICES_END))
def test_a_plan_that_ends_before_the_last_price_was_capped(statuses, end):
    assert judge(partitions(statuses, end), 0.7, 300).capped == (end < PRICES_END)


def test_a_run_without_partitions_is_neither_complete_nor_capped():
    verdict = judge([], 0.7, 300)
    assert (verdict.decision, verdict.complete, verdict.capped) == ("hold", False, False)
