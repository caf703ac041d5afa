"""A table finds every entry by its hash and no other, however the hashes lie."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.authcache.base.format.hashing import EMPTY, hasher, hashes_of, homes_of, slots_of
from shared.authcache.base.format.indexing import hashes_by_row, slots_in_order, table_of

HIGHEST = (1 << 32) - 1
hashes = st.one_of(st.integers(0, HIGHEST), st.integers(0, 3), st.integers(HIGHEST - 3, HIGHEST))


def made(found: list[int]) -> list[int]:
    entries = np.array([(one << 32) | slot for slot, one in enumerate(found)], np.uint64)
    return table_of(entries).tolist()


@given(st.lists(hashes, max_size=60), st.lists(hashes, max_size=10))
@example([], [0, HIGHEST])
@example([HIGHEST] * 40, [HIGHEST - 1, 0])
@example([7] * 40 + [8, 9], [6, 10])
@example(list(range(50)), [50])
def test_every_hash_finds_its_rows_and_no_others(held: list[int], others: list[int]) -> None:
    table, homes = made(held), homes_of(len(held))
    for one in {*held, *others}:
        assert slots_of(table, homes, one)[0] == [slot for slot, other in enumerate(held) if other == one]
    assert table == sorted(table)
    assert table[-1] & EMPTY == EMPTY


@given(st.lists(hashes, max_size=60))
def test_what_was_put_in_is_read_out(held: list[int]) -> None:
    table = np.array(made(held), np.uint64)
    slots = slots_in_order(table)
    assert slots.tolist() == list(range(len(held)))
    assert hashes_by_row(table, slots).tolist() == held


def test_a_table_that_is_cut_off_is_no_table() -> None:
    with pytest.raises(IndexError):
        slots_of(made([5] * 10)[:8], homes_of(10), 5)


@given(st.lists(hashes, min_size=1, max_size=60), hashes)
def test_a_part_of_a_table_says_what_the_table_says(held: list[int], wanted: int) -> None:
    homes = homes_of(len(held))
    begins = wanted * homes >> 32
    assert slots_of(made(held)[begins:], homes, wanted, begins) == slots_of(made(held), homes, wanted)


@given(st.lists(st.text(), max_size=5), st.binary(min_size=16, max_size=16))
def test_one_key_and_many_have_the_same_hashes(keys: list[str], secret: bytes) -> None:
    together = hashes_of([key.encode() for key in keys], secret)
    assert np.frombuffer(together, ">u4").tolist() == [hasher(secret)(key) for key in keys]
