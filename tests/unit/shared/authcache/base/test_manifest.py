"""What a manifest says of its segments, and what it remembers."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.authcache.base.manifest import MOST_FOLDS, Counts, Fold, Manifest, Segment, TablePart
from tests.unit.shared.authcache.rows import AT


def segment(after: int, lsn: int) -> Segment:
    return Segment(name=f"base/{lsn}", after=after, lsn=lsn, tables={}, files=())


def manifest(*segments: Segment, hash_key: str = "0" * 32) -> Manifest:
    counts = Counts(users=1)
    return Manifest(lsn=9, hash_key=hash_key, segments=segments, counts=counts, whole=counts, folded_at=AT)


def fold(lsn: int) -> Fold:
    return Fold(lsn=lsn, records=1, made_anew=False, at=AT)


def test_the_last_segment_has_everything_and_one_before_it_what_changed_since() -> None:
    everything, changed = segment(0, 5), segment(5, 9)
    assert (manifest(everything).everything, manifest(everything).changed) == (everything, None)
    assert (manifest(changed, everything).everything, manifest(changed, everything).changed) == (everything, changed)


def test_the_newest_folds_are_remembered_and_no_more_than_so_many() -> None:
    known = manifest(segment(0, 5))
    for lsn in range(MOST_FOLDS + 5):
        known = known.model_copy(update={"folds": known.folds_with(fold(lsn))})
    assert [one.lsn for one in known.folds] == list(range(MOST_FOLDS + 4, 4, -1))


def test_a_row_that_is_no_more_is_in_the_index_of_the_id_alone() -> None:
    part = TablePart(rows=10, dropped=3)
    assert (part.entries("id"), part.entries("address")) == (10, 7)


def test_a_manifest_is_read_as_it_was_written() -> None:
    written = manifest(segment(5, 9), segment(0, 5))
    assert Manifest.model_validate_json(written.model_dump_json()) == written
    with pytest.raises(ValidationError):
        manifest(segment(0, 5), hash_key="no key")
