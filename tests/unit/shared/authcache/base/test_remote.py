"""A segment whose manifest lacks a file that look-ups need is refused before anything is read."""

from __future__ import annotations

import pytest

from shared.authcache.base.manifest import CorruptBase, File, Segment, TablePart
from shared.authcache.base.remote import RemoteFiles

NAMES = ("users.slots", "users.id.index", "users.address.index", "indexes.sums")


def segment(*names: str, rows: int = 1) -> Segment:
    files = tuple(File(name=name, size=64, sha256="") for name in names)
    return Segment(name="base/1", after=0, lsn=1, tables={"users": TablePart(rows=rows, dropped=0)}, files=files)


def test_a_segment_with_all_its_files_is_taken() -> None:
    assert RemoteFiles(segment(*NAMES)).damage is None
    assert RemoteFiles(segment(rows=0)).damage is None


@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        ("users.id.index", "has no index id of users"),
        ("users.address.index", "has no index address of users"),
        ("indexes.sums", "has no sums of its indexes"),
    ],
)
def test_a_segment_that_lacks_one_is_refused_for_now(lacks: str, message: str) -> None:
    with pytest.raises(CorruptBase, match=message) as refused:
        RemoteFiles(segment(*(name for name in NAMES if name != lacks)))
    assert refused.value.retry_after
