"""When a fold is due, of all that may be known of the base and the log."""

from __future__ import annotations

import itertools

import pytest

from shared.authcache.folding.due import EARLY_FOLD_RECORDS, FoldFacts, early_fold_is_due, fold_is_due

BOTH = (False, True)


@pytest.mark.parametrize("has_base", BOTH)
@pytest.mark.parametrize("looked", BOTH)
def test_a_base_that_cannot_be_read_is_made_anew_at_once(has_base: bool, looked: bool) -> None:
    assert fold_is_due(FoldFacts(damaged=True, has_base=has_base), looked=looked)


def test_without_a_base_a_first_record_or_a_catalog_to_fill_it_from_is_waited_for() -> None:
    for rebuild, sync, looked in itertools.product(BOTH, repeat=3):
        assert not fold_is_due(FoldFacts(rebuild=rebuild, sync=sync), looked=looked)
    assert fold_is_due(FoldFacts(unfolded=True), looked=True)
    assert fold_is_due(FoldFacts(has_catalog=True), looked=True)


def test_with_a_base_an_idle_app_folds_once_a_process_and_then_for_a_reason_alone() -> None:
    idle = FoldFacts(has_base=True, has_catalog=True)
    assert fold_is_due(idle, looked=False)
    assert not fold_is_due(idle, looked=True)
    for reason in ("unfolded", "rebuild", "sync"):
        assert fold_is_due(FoldFacts(has_base=True, **{reason: True}), looked=True)


def test_an_early_fold_is_started_once_for_each_base() -> None:
    assert not early_fold_is_due(EARLY_FOLD_RECORDS - 1, 7, -1)
    assert early_fold_is_due(EARLY_FOLD_RECORDS, 7, -1)
    assert not early_fold_is_due(EARLY_FOLD_RECORDS * 3, 7, 7)
    assert early_fold_is_due(EARLY_FOLD_RECORDS, 8, 7)
