"""How a table is cut into chunks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.backups.contents.catalog import Relation
from shared.backups.contents.chunks import CHUNK_BYTES, MOST_BLOCKS, blocks_of_chunk, pieces
from shared.backups.models import Table

TABLE = Table(schema_name="papers", name="papers", columns=["paper_id"], late=False, definition=[])
BLOCK = 8_192


def relation(blocks: int, toasted: int = 0) -> Relation:
    return Relation(TABLE, 1, blocks, blocks * BLOCK + toasted, "shape")


@pytest.mark.parametrize("blocks", [0, 1, 63, 64, 65, 5 * 64 + 7])
def test_every_block_lies_in_one_piece_and_the_last_is_open(blocks: int) -> None:
    cut = pieces(relation(blocks), 64)
    assert cut[0].first == 0
    assert [one.first for one in cut[1:]] == [one.end for one in cut[:-1]]
    assert cut[-1].end == 2**32 - 1, "rows that came since it was measured are in it"
    assert len(cut) == max(1, -(-blocks // 64))


@pytest.mark.parametrize("blocks", [0, 1, 1_000, 1_000_000])
def test_without_toast_a_chunk_is_of_as_many_blocks_as_ever_are_in_one(blocks: int) -> None:
    assert blocks_of_chunk(relation(blocks)) == MOST_BLOCKS


@pytest.mark.parametrize("toasted", [0, 1 << 20, 1 << 30, 60 << 30])
def test_however_much_is_in_its_toast_a_chunk_is_of_about_as_many_bytes(toasted: int) -> None:
    # 60 GB: 18 million vectors of 1,536 halves, which are too long for a row's block.
    one = relation(140_000, toasted)
    blocks = blocks_of_chunk(one)
    assert blocks.bit_count() == 1
    assert CHUNK_BYTES / 2 < blocks * one.size / one.blocks <= CHUNK_BYTES


def test_a_chain_keeps_its_cut_until_its_chunks_are_four_times_too_large_or_too_small() -> None:
    one = relation(10_000, 10_000 * 7 * BLOCK)  # 64 kB a block: 1,024 of them
    assert blocks_of_chunk(one) == 1_024
    for before in (256, 512, 1_024, 2_048, 4_096):
        assert blocks_of_chunk(one, before) == before
    for before in (1, 128, 8_192):
        assert blocks_of_chunk(one, before) == 1_024
    assert blocks_of_chunk(replace(one, size=one.size + 1), 1_024) == 1_024
