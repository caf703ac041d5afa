"""Search finds what a plain filter and sort in Python find, whichever way it takes, however it is paged."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.diamonds.offer.search import Search, find, read, read_diamond
from shared.platform.errors import NotFound

COLORS = ["D", "E", "H", "FANCY YELLOW", None]
CLARITIES = ["FL", "IF", "VVS1", "SI2", "I1", None]
GRADES = ["FL", "IF", "VVS1", "VVS2", "VS1", "VS2", "SI1", "SI2", "SI3", "I1", "I2", "I3"]
EVERY_WAY = pytest.mark.parametrize("few", [-1, 10**9], ids=["many", "few"])


def random_diamond(chance):
    carats = Decimal(chance.choice(["0.23", "0.30", "0.50", "0.99", "1.00", "1.20", "2.00", "3.01"]))
    price = Decimal(chance.choice(["100.00", "250.00", "999.99", "1000.00", "4000.00", "13000.00", "50000.00"]))
    return {
        "shape": chance.choice(["ROUND", "OVAL", "PEAR"]),
        "carats": carats,
        "color": chance.choice(COLORS),
        "clarity": chance.choice(CLARITIES),
        "cut": chance.choice(["EX", "Ideal", None]),
        "lab_grown": chance.choice([True, False, None]),
        "price_model_price": price,
        "retail_price": (price * Decimal("1.15")).quantize(Decimal("0.01")),
        "availability": chance.choice(["available", "available", "sold", "on_hold"]),
        "certificate_lab": chance.choice(["GIA", "IGI", None]),
        "certificate_number": chance.choice(["7", "8", None]),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(5)),
    }


@pytest.fixture
async def stock(shop):
    """Many diamonds of few values, so that every filter meets some and every order has ties; some are not on offer."""
    chance, found = random.Random(7), []
    for number in range(250):
        diamond = random_diamond(chance)
        gone = number % 10 == 0
        ends = {"status": "deleted", "deleted_at": datetime.now(UTC)} if gone else {}
        diamond["id"] = await shop.offer(**diamond, **ends)
        if not gone:
            found.append(diamond)
    return found


def fits(diamond, search):
    equal = all(
        getattr(search, name) is None or (diamond[name] or "").upper() == getattr(search, name)
        for name in ("color", "clarity", "cut", "certificate_lab")
    )
    return (
        equal
        and (search.shape is None or diamond["shape"] in [one.strip() for one in search.shape.split(",")])
        and (search.availability is None or diamond["availability"] == search.availability)
        and (search.certificate_number is None or diamond["certificate_number"] == search.certificate_number)
        and (search.retail_min is None or diamond["retail_price"] >= search.retail_min)
        and (search.retail_max is None or diamond["retail_price"] <= search.retail_max)
        and (search.lab_grown is None or diamond["lab_grown"] is search.lab_grown)
        and (search.carat_min is None or diamond["carats"] >= search.carat_min)
        and (search.carat_max is None or diamond["carats"] <= search.carat_max)
        and (search.price_min is None or diamond["price_model_price"] >= search.price_min)
        and (search.price_max is None or diamond["price_model_price"] <= search.price_max)
    )


def sort_key(diamond, by):
    if by == "color":
        return ord(diamond["color"]) if len(diamond["color"] or "") == 1 else 1_000
    if by == "clarity":
        return GRADES.index(diamond["clarity"]) if diamond["clarity"] else 1_000
    return diamond[by]


def expected(stock, search):
    """The ids in order."""
    found = sorted((d for d in stock if fits(d, search)), key=lambda d: (sort_key(d, search.sort_by), d["id"]))
    ids = [diamond["id"] for diamond in found]
    return ids if search.sort_order == "asc" else ids[::-1]


def stand_for_others(stock, search):
    """The ids of those that fit and are the best of their certificate; all, if the search wants all."""
    best = {}
    for diamond in stock:
        if fits(diamond, search):
            number = diamond["certificate_number"] if search.one_per_certificate else None
            certificate = diamond["id"] if number is None else (diamond["certificate_lab"], number)
            rank = (diamond["availability"] != "available", diamond["retail_price"], diamond["id"])
            best[certificate] = min(rank, best.get(certificate, rank))
    return {rank[-1] for rank in best.values()}


def maybe(*values):
    return st.sampled_from([None, *values])


searches = st.builds(
    lambda low, high, cheap, dear, **rest: Search(
        carat_min=low,
        carat_max=high if high is None or low is None or high >= low else None,
        price_min=cheap,
        price_max=dear if dear is None or cheap is None or dear >= cheap else None,
        **rest,
    ),
    low=maybe("0.3", "0.995", "1", "2"),
    high=maybe("0.3", "0.99", "1.2", "5"),
    cheap=maybe("0", "250", "999.995", "4000"),
    dear=maybe("250", "1000", "13000", "1000000"),
    shape=maybe("round", "OVAL", "HEART", "round,Pear", "OVAL , heart"),
    availability=maybe(None, None, "available", "sold"),
    certificate_lab=maybe(None, None, "gia"),
    certificate_number=maybe(None, None, None, "7"),
    retail_min=maybe(None, None, "300"),
    retail_max=maybe(None, None, "4600"),
    color=maybe("D", "h", "Fancy Yellow"),
    clarity=maybe("IF", "si2", "FL"),
    cut=maybe("EX", "IDEAL"),
    lab_grown=st.sampled_from([None, True, False]),
    one_per_certificate=st.booleans(),
    sort_by=st.sampled_from(["created_at", "price_model_price", "carats", "color", "clarity"]),
    sort_order=st.sampled_from(["asc", "desc"]),
    limit=st.sampled_from([7, 60]),
)


@EVERY_WAY
async def test_filters_order_and_pages_agree_with_a_model(stock, monkeypatch, few):
    monkeypatch.setattr(read, "FEW", few)
    monkeypatch.setattr(read, "FEW_BY_SIZE", few)
    examples = []

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
        database=None,
    )
    @given(searches)
    def collect(search):
        examples.append(search)

    collect()
    for search in examples:
        offers = expected(stock, search)
        kept = stand_for_others(stock, search)
        wanted = [one for one in offers if one in kept]
        pages = range(1, len(offers) // search.limit + 3)
        by_number = [await find(search.model_copy(update={"page": page})) for page in pages]
        assert [d.id for page in by_number for d in page.data] == wanted, search
        by_cursor, cursor = [], None
        while True:
            page = await find(search.model_copy(update={"cursor": cursor}))
            by_cursor += [diamond.id for diamond in page.data]
            cursor = page.pagination.next
            if cursor is None:
                break
            assert len(page.data) == search.limit or search.one_per_certificate
        assert by_cursor == wanted, search
        exact = [page.pagination for page in by_number if page.pagination.total_is == "exact"]
        assert all(p.total == len(offers) for p in exact), search
        assert few < 0 or len(exact) == len(by_number), search


@EVERY_WAY
async def test_a_walk_by_cursor_misses_nothing_while_diamonds_come_and_go(shop, stock, monkeypatch, few):
    monkeypatch.setattr(read, "FEW", few)
    monkeypatch.setattr(read, "FEW_BY_SIZE", few)
    search = Search(sort_by="price_model_price", sort_order="asc", limit=20, one_per_certificate=False)
    seen, cursor = [], None
    while True:
        page = await find(search.model_copy(update={"cursor": cursor}))
        seen += [diamond.id for diamond in page.data]
        cursor = page.pagination.next
        if cursor is None:
            break
        await shop.offer(price_model_price="0.50")  # sorts before all: every page number moves
        await shop.fetch("delete from diamonds.diamonds where id = %s", seen[0])
        seen_before = seen.pop(0)
        stock = [diamond for diamond in stock if diamond["id"] != seen_before]
    assert seen == expected(stock, search)


async def test_one_diamond_is_found_as_long_as_it_is_offered(shop):
    offered = await shop.offer(carats="1.23", hold_id=None)
    deleted = await shop.offer(status="deleted", deleted_at=datetime.now(UTC))
    assert (await read_diamond(offered)).carats == 1.23
    for other in (deleted, offered + 1_000):
        with pytest.raises(NotFound):
            await read_diamond(other)
