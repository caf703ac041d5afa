"""The next segment of everything: the earlier one without what changed, then what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.authcache.base.format.arrow import DROPPED, LSN, schema_of, table_of
from shared.authcache.base.format.names import parquet_file
from shared.authcache.base.local import LocalFiles
from shared.authcache.base.manifest import Segment
from shared.authcache.base.reading import SegmentLevel
from shared.authcache.folding.changes import Changes
from shared.authcache.folding.segments import (
    Built,
    Merging,
    batches,
    build_changed,
    build_everything,
    changed_rows,
    with_changes,
)
from shared.authcache.tables import FAMILIES, TABLES, USERS, Row
from tests.unit.shared.authcache.rows import family, user

KEY = "00" * 16
ANN, BOB, CY = user("ann"), user("bob"), user("cy")
FAR = datetime.now(UTC) + timedelta(days=365)


def changes(lsn: int, **tables: dict[str, tuple[Row | None, int]]) -> Changes:
    return Changes(lsn, 0, {name: tables.get(name, {}) for name in TABLES})


def columns(made: Changes) -> dict[str, Any]:
    return {name: with_changes(schema_of(table).empty_table(), table, made) for name, table in TABLES.items()}


def placed(built: Built, folder: Path) -> Segment:
    """The segment, with its files where a copy of them would be put."""
    built.folder.rename(folder / built.segment.name.replace("/", "-"))
    return built.segment


@pytest.fixture
def earlier(tmp_path: Path) -> Segment:
    """Ann, Bob, and two sessions, one of which has expired."""
    ended, lasting = family("f1", "ann"), replace(family("f2", "ann"), expires_at=FAR)
    rows = columns(
        changes(5, users={"ann": (ANN, 1), "bob": (BOB, 2)}, families={"f1": (ended, 3), "f2": (lasting, 4)})
    )
    return placed(build_changed(tmp_path / "first", 0, 5, rows, KEY), tmp_path)


async def level_of(built: Built) -> SegmentLevel:
    return SegmentLevel(built.segment, LocalFiles(built.folder, built.segment), KEY)


async def test_what_did_not_change_is_copied_and_the_rest_is_as_it_is_now(tmp_path: Path, earlier: Segment) -> None:
    moved = user("ann", "new@example.com")
    made = changes(9, users={"ann": (moved, 6), "bob": (None, 7), "cy": (CY, 8)})
    built = await build_everything(tmp_path, Merging(earlier, 9, KEY, drops_after=9), columns(made))
    level = await level_of(built)
    assert await level.get(USERS, "ann") == (True, moved)
    assert await level.get(USERS, "bob") == (False, None)
    assert await level.get(USERS, "cy") == (True, CY)
    assert await level.find(USERS, "address", ANN.address) == []
    assert await level.find(USERS, "address", moved.address) == [moved]
    assert (built.segment.tables["users"].rows, built.segment.tables["users"].dropped) == (2, 0)


async def test_a_drop_that_iceberg_may_not_know_is_kept(tmp_path: Path, earlier: Segment) -> None:
    made = changes(9, users={"bob": (None, 7)})
    built = await build_everything(tmp_path, Merging(earlier, 9, KEY, drops_after=6), columns(made))
    assert await (await level_of(built)).get(USERS, "bob") == (True, None)
    assert (built.segment.tables["users"].rows, built.segment.tables["users"].dropped) == (2, 1)


async def test_rows_that_have_expired_are_left_out(tmp_path: Path, earlier: Segment) -> None:
    built = await build_everything(tmp_path, Merging(earlier, 9, KEY, drops_after=9), columns(changes(9)))
    [rows] = batches(built.folder / parquet_file(FAMILIES.name), ["id"])
    assert rows.column("id").to_pylist() == ["f2"]


def test_what_changed_twice_is_as_the_log_says_last() -> None:
    rows = [("ann", ANN, 1), ("bob", BOB, 2)]
    merged = with_changes(table_of(USERS, rows), USERS, changes(9, users={"ann": (None, 8), "cy": (CY, 9)}))
    found = {row["id"]: (row[DROPPED], row[LSN]) for row in merged.select(["id", DROPPED, LSN]).to_pylist()}
    assert found == {"ann": (True, 8), "bob": (False, 2), "cy": (False, 9)}


async def test_a_segment_that_holds_nothing_of_a_table_has_no_rows_of_it(tmp_path: Path, earlier: Segment) -> None:
    assert (await changed_rows(None, USERS, tmp_path)).num_rows == 0
    assert (await changed_rows(earlier, TABLES["documents"], tmp_path)).num_rows == 0
    assert (await changed_rows(earlier, USERS, tmp_path)).num_rows == 2
