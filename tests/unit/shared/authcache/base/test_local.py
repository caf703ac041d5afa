"""A folder that does not hold a segment's files as they were written is not opened; one that is open stays readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.authcache.base.format.arrow import schema_of, table_of
from shared.authcache.base.local import LocalFiles, set_aside
from shared.authcache.base.manifest import CorruptBase
from shared.authcache.base.reading import SegmentLevel
from shared.authcache.folding.segments import Built, build_changed
from shared.authcache.tables import TABLES, USERS
from tests.present import present
from tests.unit.shared.authcache.rows import user

KEY = "00" * 16
ANN = user("ann")


@pytest.fixture
def built(tmp_path: Path) -> Built:
    rows = {name: schema_of(table).empty_table() for name, table in TABLES.items()}
    rows[USERS.name] = table_of(USERS, [("ann", ANN, 1)])
    return build_changed(tmp_path / "built", 0, 1, rows, KEY)


@pytest.mark.parametrize("name", ["users.slots", "users.id.index", "indexes.sums"])
@pytest.mark.parametrize("how", ["missing", "shorter", "longer"])
def test_a_file_that_is_missing_or_of_another_size_is_not_opened(built: Built, name: str, how: str) -> None:
    path = built.folder / name
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if how == "shorter" else data + b"x")
    with pytest.raises(CorruptBase, match="cannot be opened" if how == "missing" else "another size"):
        LocalFiles(built.folder, built.segment)


def test_the_file_that_only_folds_read_may_be_missing(built: Built) -> None:
    (built.folder / "users.parquet").unlink()
    LocalFiles(built.folder, built.segment).close()


async def test_what_is_set_aside_is_found_by_nobody_and_read_on_by_who_has_it_open(built: Built) -> None:
    files = LocalFiles(built.folder, built.segment)
    level = SegmentLevel(built.segment, files, KEY)
    set_aside(built.folder)
    set_aside(built.folder)  # another process may have been faster
    assert not built.folder.exists()
    assert len(list(built.folder.parent.glob("built.*.damaged"))) == 1
    assert await level.get(USERS, "ann") == (True, ANN)
    assert files.damage is None


def test_a_copy_that_was_fetched_again_meanwhile_is_not_set_aside(built: Built) -> None:
    files = LocalFiles(built.folder, built.segment)
    built.folder.rename(built.folder.with_name("old"))
    built.folder.mkdir()  # another process's
    assert files.damaged("An index is damaged.").segment == built.segment.name
    assert built.folder.exists()
    assert present(files.damage).message == "An index is damaged."
