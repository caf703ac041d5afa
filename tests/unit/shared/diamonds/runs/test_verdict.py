"""Who decides what becomes of a run: the rule, whatever the partitions are."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.diamonds.runs.changes import RunDifference
from shared.diamonds.runs.models import PRICES_END, PartitionProgress, PartitionStatus, PriceRange
from shared.diamonds.runs.verdict import LEAST, Limits, judge, objections


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
    assert verdict.complete == (len(statuses) > 0 and verdict.unread == 0)
    assert (verdict.decision == "go") == verdict.complete
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


LIMITS = Limits(failed=0.1, jumped=0.1, deleted=0.2)
NOTHING = RunDifference(
    rows=0, failed=0, contradicting=0, new=0, dearer=0, cheaper=0, jumped=0, unchanged=0, gone=None, offered=0, up=0,
    down=0, worst=[],
)  # fmt: skip


@pytest.mark.parametrize(
    ("odd", "whole", "code"),
    [
        ("failed", {"rows": 100}, "rows-failed"),
        ("contradicting", {"rows": 100}, "prices-contradict"),
        ("waiting", {"listed": 100}, "rows-withheld"),
        ("lost", {"unchanged": 100}, "words-lost"),
        ("back_on_sale", {"offered": 100}, "diamonds-return"),
        ("jumped", {"dearer": 40, "cheaper": 40, "unchanged": 20}, "prices-jumped"),
    ],
)
def test_a_share_over_its_limit_is_an_objection(odd, whole, code):
    def found(number):
        return [one.code for one in objections(NOTHING.model_copy(update={**whole, odd: number}), LIMITS)]

    assert found(10) == []
    assert found(11) == [code]


def test_vanished_diamonds_are_a_share_of_what_is_on_offer():
    def found(gone):
        return [one.code for one in objections(NOTHING.model_copy(update={"offered": 100, "gone": gone}), LIMITS)]

    assert (found(None), found(20), found(21)) == ([], [], ["diamonds-vanished"])


def test_holds_that_ended_are_the_commonest_change_of_a_night_and_hold_none():
    night = NOTHING.model_copy(update={"offered": 300, "rows": 60, "unchanged": 60, "back_on_sale": 15})
    assert objections(night, LIMITS) == []


def test_a_handful_holds_no_run_whatever_its_share():
    few = NOTHING.model_copy(update={"rows": 9, "failed": 9, "offered": 9, "gone": 9, "dearer": 9, "jumped": 9})
    assert objections(few, LIMITS) == []


counts = st.integers(0, 10_000)


@given(counts, counts, counts, counts, counts)
def test_a_limit_of_all_never_objects_and_one_of_nothing_objects_to_ten(rows, failed, dearer, jumped, gone):
    found = NOTHING.model_copy(
        update={"rows": max(rows, failed), "failed": failed, "dearer": max(dearer, jumped), "jumped": jumped,
                "offered": gone, "gone": gone}
    )  # fmt: skip
    assert objections(found, Limits(1, 1, 1)) == []
    codes = {one.code for one in objections(found, Limits(0, 0, 0))}
    expected = {"rows-failed": failed, "prices-jumped": jumped, "diamonds-vanished": gone}
    assert codes == {code for code, number in expected.items() if number >= LEAST}
