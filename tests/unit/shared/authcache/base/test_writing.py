"""The files of a segment: what they are called, how large they are, and what their digests say."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shared.authcache.base.format.arrow import table_of
from shared.authcache.base.manifest import TablePart
from shared.authcache.base.writing import TableWriter, current_rows, dropped_rows, segment_of
from shared.authcache.tables import SHARES, USERS
from tests.unit.shared.authcache.rows import user

KEY = "00" * 16
ROWS = table_of(USERS, [("ann", user("ann"), 1), ("bob", None, 2), ("cy", user("cy"), 3)])


def written(folder: Path) -> TablePart:
    writer = TableWriter(folder, USERS, KEY)
    writer.add(current_rows(ROWS))
    writer.drop(dropped_rows(ROWS))
    return writer.finish()


def test_rows_and_drops_are_counted_apart(tmp_path: Path) -> None:
    assert written(tmp_path) == TablePart(rows=3, dropped=1)
    assert current_rows(ROWS).column("id").to_pylist() == ["ann", "cy"]
    assert dropped_rows(ROWS).column("id").to_pylist() == ["bob"]


def test_a_segment_names_each_file_with_its_size_and_digest(tmp_path: Path) -> None:
    segment = segment_of(tmp_path, 1, 9, {"users": written(tmp_path)})
    assert (segment.after, segment.lsn, segment.name.startswith("base/0000000000000009-")) == (1, 9, True)
    assert {file.name for file in segment.files} == {path.name for path in tmp_path.iterdir()}
    for file in segment.files:
        data = (tmp_path / file.name).read_bytes()
        assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_table_without_rows_leaves_no_empty_file(tmp_path: Path) -> None:
    part = TableWriter(tmp_path, SHARES, KEY).finish()
    segment = segment_of(tmp_path, 0, 1, {"shares": part})
    assert part == TablePart(rows=0, dropped=0)
    assert all(file.size for file in segment.files)
    assert not (tmp_path / "shares.slots").exists()
