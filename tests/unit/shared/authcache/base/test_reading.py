"""Whatever a segment's files on the disk are overwritten with, nobody who stands in them is taken for unknown."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.authcache.base.format.arrow import schema_of, table_of
from shared.authcache.base.local import LocalFiles
from shared.authcache.base.manifest import CorruptBase, DamagedCopy
from shared.authcache.base.reading import SegmentLevel
from shared.authcache.folding.segments import Built, build_changed
from shared.authcache.models import Share, User
from shared.authcache.tables import SEPARATOR, SHARES, TABLES, USERS

KEY = "00" * 16
AT = datetime(2026, 1, 1, tzinfo=UTC)
SHARE = Share(id="s0", owner="u0", shared_email="", viewer="", level="read", created_at=AT, updated_at=AT)
USER = User(
    id="", email="", address="", first_name="A", last_name="B", password_hash="hash", created_at=AT, updated_at=AT
)
USERS_HELD, SHARES_HELD = 40, 300


def user(number: int) -> User:
    return replace(USER, id=f"u{number}", email=f"u{number}@example.com", address=f"u{number}@example.com")


def share(number: int) -> Share:
    return replace(SHARE, id=f"s{number}", viewer=f"v{number}@example.com")


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """A segment of some users, of whom one shares much."""
    rows = {name: schema_of(table).empty_table() for name, table in TABLES.items()}
    rows[USERS.name] = table_of(USERS, ((f"u{one}", user(one), 1) for one in range(USERS_HELD)))
    rows[SHARES.name] = table_of(SHARES, ((f"s{one}", share(one), 1) for one in range(SHARES_HELD)))
    return build_changed(tmp_path / "built", 0, 1, rows, KEY)


def opened(built: Built) -> SegmentLevel:
    return SegmentLevel(built.segment, LocalFiles(built.folder, built.segment), KEY)


async def looked_up(level: SegmentLevel) -> int:
    """How many look-ups were answered as the rows stand; the others were refused."""
    answered = 0
    for one in range(USERS_HELD):
        for by_id in (True, False):
            try:
                if by_id:
                    assert await level.get(USERS, f"u{one}") == (True, user(one))
                else:
                    assert await level.find(USERS, "address", f"u{one}@example.com") == [user(one)]
                answered += 1
            except CorruptBase:
                pass
    for index, key in (("pair", f"u0{SEPARATOR}v7@example.com"), ("owner", "u0")):
        try:
            found = await level.find(SHARES, index, key)
            assert len(found) == (1 if index == "pair" else SHARES_HELD)
            answered += 1
        except CorruptBase:
            pass
    return answered


async def test_what_was_written_is_found_and_nothing_else(built: Built) -> None:
    level = opened(built)
    assert await looked_up(level) == 2 * USERS_HELD + 2
    for one in range(2000):
        assert await level.get(USERS, f"x{one}") == (False, None)
        assert await level.find(SHARES, "owner", f"x{one}") == []
    assert level.damage is None


@pytest.mark.parametrize("running", [True, False], ids=["running", "starting"])
@pytest.mark.parametrize("part", [1, 2], ids=["whole", "half"])
@pytest.mark.parametrize("byte", [0, 0xFF, None], ids=["zeros", "ones", "random"])
@pytest.mark.parametrize("end", [".index", "users.slots", "indexes.sums"])
async def test_damage_is_never_taken_for_not_known(built: Built, end: str, byte: int | None, part: int, running: bool):
    files = [one.name for one in built.segment.files if one.name.endswith(end)]
    whole = {name: (built.folder / name).read_bytes() for name in files}
    for seed in range(30 if byte is None else 1):
        level = opened(built)
        for name, data in whole.items():
            left = len(data) // part
            damage = random.Random(seed).randbytes(left) if byte is None else bytes([byte]) * left
            with (built.folder / name).open("r+b") as file:
                file.write(damage)
        if not running:
            level = opened(built)
        await looked_up(level)
        assert isinstance(level.damage, DamagedCopy)
        [aside] = built.folder.parent.glob("*.damaged")
        aside.rename(built.folder)
        for name, data in whole.items():
            (built.folder / name).write_bytes(data)
