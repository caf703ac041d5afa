"""Nothing that stays on the list is skipped, whatever leaves it while it is read."""

from hypothesis import given
from hypothesis import strategies as st

from shared.diamonds.ingestion.models import Mark, Stone
from shared.diamonds.ingestion.paging import OffsetPages

SIZE = 5


class List:
    """A supplier whose list `change` may edit before each page, and whose pages are at most `longest()` long."""

    def __init__(self, ids, change=lambda _ids: None, longest=lambda: SIZE):
        self.ids = list(ids)
        self.change = change
        self.longest = longest
        self.asked = []

    async def page(self, offset, limit):
        assert limit == SIZE
        self.change(self.ids)
        self.asked.append(offset)
        page = self.ids[offset : offset + min(limit, self.longest())]
        return [Stone(stone, f"offer-{stone}", None, {}) for stone in page]


async def read(supplier, offset=0):
    reader = OffsetPages(supplier.page, Mark(next_offset=offset), SIZE)
    seen = []
    while not reader.ended:
        seen += [stone.supplier_stone_id for stone in await reader.next()]
    return seen


async def test_a_list_that_does_not_change_is_read_once_and_in_order():
    ids = [f"s{number}" for number in range(23)]
    assert await read(List(ids)) == ids


async def test_short_pages_are_not_the_end():
    ids = [f"s{number}" for number in range(17)]
    lengths = iter([3, 1, 5, 2, 1, 4] * 10)
    assert set(await read(List(ids, longest=lambda: next(lengths)))) == set(ids)


@given(data=st.data(), count=st.integers(0, 60))
async def test_what_stays_is_seen_whatever_leaves(data, count):
    def leave(ids):
        # Between two requests no more than the reader goes back by.
        for _ in range(data.draw(st.sampled_from([0, 0, 0, 1, 2]))):
            if ids:
                ids.pop(data.draw(st.integers(0, len(ids) - 1)))

    supplier = List([f"s{number}" for number in range(count)], leave)
    seen = await read(supplier)
    assert set(supplier.ids) <= set(seen)


async def test_a_reader_that_goes_on_for_another_sees_what_moved_up_in_between():
    ids = [f"s{number}" for number in range(40)]
    supplier = List(ids[4:])  # the first four left while nobody read
    assert set(await read(supplier, offset=20)) >= set(ids[20:])


async def test_a_supplier_without_a_stable_order_is_read_to_its_end():
    ids = [f"s{number}" for number in range(50)]
    supplier = List(ids, change=lambda ids: ids.append(ids.pop(0)))
    assert len(set(await read(supplier))) > 25
    assert len(supplier.asked) < 500


async def test_checking_costs_one_row_a_page_and_one_request_at_the_end():
    supplier = List([f"s{number}" for number in range(21)])
    await read(supplier)
    assert supplier.asked == [0, 4, 8, 12, 16, 20, 21]
