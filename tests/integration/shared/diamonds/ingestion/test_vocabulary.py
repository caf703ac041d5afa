"""Terms come in one form or not at all, and a number is one only if it is decimal."""

import unicodedata
from decimal import Decimal

import pytest

from shared.diamonds.ingestion.mapping import NIVODA, PriceUnit
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.ingestion.vocabulary import SHAPES, availability, known_shape, plain
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def mapped(diamonds, column, *stones, unit: PriceUnit = "cents"):
    """Of each stone: what stands in the column, or why it failed."""
    run = await diamonds.begin(0, 2**31 - 1)

    class Listing(diamonds.Shop):
        def _in(self, prices):
            return list(self.stones.values())

    for number, stone in enumerate(stones):
        stone.payload["diamond"]["id"] = f"s{number:03}"
    listed = {n: diamonds.stone(f"s{n:03}").__class__(f"s{n:03}", "o", None, s.payload) for n, s in enumerate(stones)}
    await copy_pages(Listing(stones=listed), run.task())
    await consolidate(ConsolidateRows(run_id=run.plan.run_id, feed="nivoda", worker="w", seconds=60), NIVODA, unit)
    found = await diamonds.fetch(
        f"select coalesce(r.failure_reason, d.{column}::text) from diamonds.raw_diamonds r"
        " left join diamonds.diamonds d using (feed, supplier_stone_id) order by r.supplier_stone_id"
    )
    return [value for (value,) in found]


ROUNDS = [
    "ROUND", "round", " Round ", "Round\u00a0", "\tround\n", "Ro\u200bund", "\uff32\uff2f\uff35\uff2e\uff24", "RB",
    "Round Brilliant", "round\u00a0 brilliant", "ROUND\u2003BRILLIANT", "\ufeffround", "\u2066Round\u2069",
    "ROUND\ufe0f", "\u061cround", "Ro\u3164und", "r\u0007ound", "ROUND\U000e0020", "\u2800Round",
]  # fmt: skip


async def test_a_shape_has_one_form_however_it_is_written(diamonds):
    assert set(await mapped(diamonds, "shape", *(diamonds.stone("s", shape=word) for word in ROUNDS))) == {"ROUND"}
    assert {known_shape(word) for word in ROUNDS} == {"ROUND"}, "a rule and a search understand what a feed may say"


@pytest.mark.parametrize("odd", ["BANANA", "ROUNDISH", {"name": "ROUND"}, ["ROUND"], 7, True, "None", "", "\u200b"])
async def test_another_word_is_a_failed_row_never_a_shape_of_its_own(diamonds, odd):
    [reason] = await mapped(diamonds, "shape", diamonds.stone("s", shape=odd))
    assert reason.startswith("shape: ")
    assert (await diamonds.fetch("select count(*) from diamonds.diamonds")) == [(0,)]


async def test_every_known_shape_is_its_own_word():
    assert all(SHAPES[shape] == shape == shape.upper() for shape in SHAPES.values())


@pytest.mark.parametrize(
    ("sent", "grown"),
    [("Natural", "false"), ("lab grown", "true"), ("Lab-Grown", "true"), ("CVD", "true"), ("", None), ("None", None),
     (None, None), (True, "true"), ("\u00a0natural", "false")],
)  # fmt: skip
async def test_words_of_origin_mean_what_they_say(diamonds, sent, grown):
    assert await mapped(diamonds, "lab_grown", diamonds.stone("s", labgrown=sent)) == [grown]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("In_Stock", "available"), ("in stock", "available"), ("Guaranteed Available", "available"), ("", "available"),
     ("None", "available"), (None, "available"), ("On Hold", "on_hold"), ("on-hold", "on_hold"), ("SOLD ", "sold"),
     ("memo", "unavailable")],
)  # fmt: skip
async def test_words_of_availability_mean_what_they_say(diamonds, sent, meant):
    stone = diamonds.stone("s")
    stone.payload["diamond"]["availability"] = sent
    assert await mapped(diamonds, "availability", stone) == [meant]


@pytest.mark.parametrize("field", ["color", "clarity", "cut", "polish", "symmetry", "floInt", "lab", "certNumber"])
async def test_an_object_is_no_word(diamonds, field):
    [reason] = await mapped(diamonds, "color", diamonds.stone("s", **{field: {"value": "E"}}))
    assert reason.endswith(": an object or a list, not a word")


SEEN_BY_NOBODY = [
    "\u2066",
    "\u2069",
    "\ufe0f",
    "\u061c",
    "\u3164",
    "\uffa0",
    "\u2800",
    "\u0007",
    "\U000e0020",
    "\u034f",
]


@pytest.mark.parametrize("column", ["color", "clarity", "certificate_number", "supplier_name"])
async def test_what_nobody_sees_makes_no_word_of_its_own(diamonds, column):
    fields = {"color": "color", "clarity": "clarity", "certificate_number": "certNumber"}

    def stone(word):
        if column in fields:
            return diamonds.stone("s", **{fields[column]: word})
        made = diamonds.stone("s")
        made.payload["diamond"]["supplier"] = {"name": word}
        return made

    assert set(await mapped(diamonds, column, *(stone(f"{one}E{one}") for one in SEEN_BY_NOBODY))) == {"E"}


async def test_of_a_word_python_and_postgresql_see_the_same(diamonds):
    odd = [
        chr(code)
        for code in (*range(1, 0xD800), *range(0xE000, 0x10000), 0x1D173, 0x1D17A, 0xE0001, 0xE007F, 0xE0100)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zs", "Zl", "Zp") or code in (0x3164, 0xFFA0, 0x2800, 0xFE0F)
    ]
    words = [f"{one}A{one}{one}b" for one in odd]
    found = await diamonds.fetch(
        "select diamonds.plain(w, true) from unnest(%s::text[]) with ordinality o (w, n)", words
    )
    assert [(hex(ord(one)), value) for one, (value,) in zip(odd, found, strict=True)] == [
        (hex(ord(one)), plain(word)) for one, word in zip(odd, words, strict=True)
    ]


@pytest.mark.parametrize("word", ["\uff21vailable", "In\u200b Stock", "\u2066available\u2069", "in\u00a0stock"])
def test_the_supplier_is_understood_as_its_feed_is(word):
    assert availability(word, {}) == "available"


@pytest.mark.parametrize("price", ["0x186A0", "100_000", "1.234", "1,234", "$5", "1e500", "NaN", "Infinity", "\uff11"])
async def test_what_is_no_decimal_number_is_no_price(diamonds, price):
    stone = diamonds.stone("s")
    stone.payload["price"] = price
    [reason] = await mapped(diamonds, "price_model_price", stone, unit="dollars")
    assert reason.startswith("price: ")


@pytest.mark.parametrize(
    ("price", "dollars"), [("1234.50", "1234.50"), (1234.5, "1234.50"), (" 7 ", "7.00"), (1.234, "1.23"), (1e3, "1000")]
)
async def test_a_decimal_number_is_a_price(diamonds, price, dollars):
    stone = diamonds.stone("s")
    stone.payload["price"] = price
    [found] = await mapped(diamonds, "price_model_price", stone, unit="dollars")
    assert Decimal(found) == Decimal(dollars)


@pytest.mark.parametrize(("carats", "kept"), [(0.305, "0.305"), ("0.305", "0.305"), (1.5, "1.500"), ("0x1", None)])
async def test_carats_keep_their_thousandths(diamonds, carats, kept):
    [found] = await mapped(diamonds, "carats", diamonds.stone("s", carats=carats))
    assert found == kept if kept else found.startswith("carats: ")
