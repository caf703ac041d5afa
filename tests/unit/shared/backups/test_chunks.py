"""How a table is cut into chunks."""

from __future__ import annotations

import pytest

from shared.backups.catalog import Relation
from shared.backups.chunks import BLOCKS, block_ranges
from shared.backups.models import Table

TABLE = Table(schema_name="papers", name="papers", columns=["paper_id"], late=False, definition=[])


@pytest.mark.parametrize("blocks", [0, 1, BLOCKS - 1, BLOCKS, BLOCKS + 1, 5 * BLOCKS + 7])
def test_every_block_lies_in_one_chunk_and_the_last_is_open(blocks: int) -> None:
    ranges = block_ranges(Relation(TABLE, 1, blocks, "shape"))
    assert ranges[0][0] == 0
    assert [first for first, _ in ranges[1:]] == [end for _, end in ranges[:-1]]
    assert ranges[-1][1] == 2**32 - 1, "rows that came since it was measured are in it"
    assert len(ranges) == max(1, -(-blocks // BLOCKS))
