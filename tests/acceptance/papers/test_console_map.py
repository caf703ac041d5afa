"""The map page of the console, in a real browser with its pixels read back, over maps of up to a million papers."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

from bench.papers.map_points import made_map
from bench.papers.map_site import KEY, MapSite, map_site
from local.browser import browser_page
from tests.acceptance.papers.map_page import LOSE, MOVE, colour_of, map_page, place_of

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"
RARE = "#map=3&at=32767.5,32767.5,1&colour=source&filters=source+%3D+rare"


@pytest.fixture(scope="module")
def small() -> Generator[MapSite]:
    """Two blocks of points, and some that came since."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with map_site(made_map(70_000, additions=40, rare=60)) as site:
        yield site


@pytest.fixture(scope="module")
def million() -> Generator[MapSite]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with map_site(made_map(1_000_000)) as site:
        yield site


async def test_300_of_a_million_that_match_are_all_drawn_at_rest_and_while_it_moves(million: MapSite) -> None:
    numbers = np.flatnonzero(million.made.source == 4).tolist()
    assert len(numbers) == 300
    async with map_page(million, RARE) as shown:
        await expect(shown.page.locator("#told")).to_have_text("300 of 1,000,000 papers match", timeout=60_000)
        await shown.at_rest()
        rare = colour_of(
            await shown.page.locator("#legend li", has_text="rare")
            .locator("i")
            .evaluate("(one) => one.style.background")
        )
        places = [await shown.place(number) for number in numbers]
        found = await shown.pixels([(int(x), int(y)) for x, y in places])
        assert [number for number, one in zip(numbers, found, strict=True) if far(one, rare)] == []
        await shown.page.screenshot(path=SCREENSHOTS / "papers-map-filtered.png")
        # While it moves: the picture of the very frame in which the view has changed.
        moving, at = await shown.page.evaluate(MOVE)
        assert moving == ""  # not all points, which are drawn at rest
        zoom = float(re.findall(r"at=([^&]*)", at)[0].replace("%2C", ",").split(",")[2])
        assert zoom > 1.1
        places = [await shown.place(number, (32767.5, 32767.5, zoom)) for number in numbers]
        found = await shown.page.evaluate(
            "(places) => places.map(window.moving)", [(int(x), int(y)) for x, y in places]
        )
        assert [number for number, one in zip(numbers, found, strict=True) if far(one, rare)] == []
        await shown.at_rest()


def far(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether it is another colour. A mark is nearly opaque; another mark may lie over it, of the same colour."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 16


async def test_points_are_where_they_must_be_in_their_colours(small: MapSite) -> None:
    made = small.made
    async with map_page(small, "#map=3&at=32767.5,32767.5,4&colour=source") as shown:
        await shown.at_rest()
        _, colours = await shown.picture()
        assert colours > 500
        size = await shown.size()
        ground = (252, 252, 251)
        # Each point that has no other near it is drawn, and in the colour of its source.
        places = np.array([place_of(small, number, (32767.5, 32767.5, 4.0), *size) for number in range(len(made))])
        cells: dict[tuple[int, int], list[int]] = {}
        for number, (x, y) in enumerate(places):
            if 10 < x < size[0] - 10 and 10 < y < size[1] - 10:
                cells.setdefault((int(x) // 8, int(y) // 8), []).append(number)
        alone = [
            of[0]
            for (x, y), of in cells.items()
            if len(of) == 1
            and not any((x + a, y + b) in cells for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0))
        ]
        assert len(alone) > 10
        found = await shown.pixels([(int(places[number][0]), int(places[number][1])) for number in alone])
        assert [number for number, one in zip(alone, found, strict=True) if one == ground] == []
        rows = shown.page.locator("#legend li")
        legend = [
            colour_of(await rows.nth(at).locator("i").evaluate("(one) => one.style.background")) for at in range(5)
        ]
        for number, one in zip(alone, found, strict=True):
            drawn = np.array(one, float) - ground
            likeness = [
                float(np.dot(drawn, wanted) / np.linalg.norm(drawn) / np.linalg.norm(wanted))
                for wanted in (np.array(each, float) - ground for each in legend)
            ]
            assert int(np.argmax(likeness)) == int(made.source[number])
        await shown.page.screenshot(path=SCREENSHOTS / "papers-map.png")


async def test_a_link_shows_exactly_the_same_again(small: MapSite) -> None:
    async with map_page(small) as shown:
        await shown.at_rest()
        await shown.page.focus("#map")
        for key in ("+", "+", "ArrowRight", "ArrowUp", "c", "c"):
            await shown.page.keyboard.press(key)
        await shown.page.fill("#filters", "year >= 2005")
        await shown.page.press("#filters", "Enter")
        await expect(shown.page.locator("#told")).to_contain_text("match")
        await shown.page.fill("#written", "123")
        await shown.page.press("#written", "Enter")
        await expect(shown.page.locator("#panel h2")).to_have_text("Found: 123")
        await shown.page.locator("#from").fill("2010")
        await shown.at_rest()
        await expect(shown.page).to_have_url(re.compile("years=111"))
        link, before = shown.page.url, await shown.picture()
        told = await shown.page.locator("#told").text_content()
    async with map_page(small, link[link.index("#") :]) as again:
        await expect(again.page.locator("#panel h2")).to_have_text("Found: 123", timeout=30_000)
        await again.at_rest()
        assert await again.picture() == before
        assert await again.page.locator("#told").text_content() == told
        assert await again.page.input_value("#colour") == "year"
        assert await again.page.locator("#years-shown").text_content() == "2010 to 2026"


async def test_the_lasso_chooses_exactly_what_lies_inside_and_gives_it_away(small: MapSite) -> None:
    async with map_page(small, "#map=3&at=32767.5,32767.5,1.5&colour=cluster") as shown:
        await shown.at_rest()
        box = await shown.page.locator("#map").bounding_box()
        assert box
        await shown.page.click("#lasso")
        corners = [(300, 200), (640, 260), (560, 420), (700, 560), (420, 520), (500, 380)]  # not convex
        await shown.page.mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
        await shown.page.mouse.down()
        for x, y in corners[1:]:
            await shown.page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        await shown.page.mouse.up()
        await expect(shown.page.locator("#panel h2")).to_contain_text("papers chosen")
        await expect(shown.page).to_have_url(re.compile("lasso="))
        drawn = re.search(r"lasso=([^&]*)", shown.page.url)
        assert drawn
        polygon = [int(one) for one in drawn[1].replace("%2C", ",").split(",")]
        wanted = inside(small, list(zip(polygon[::2], polygon[1::2], strict=True)))
        assert 1_000 < len(wanted) < 50_000
        await expect(shown.page.locator("#panel h2")).to_have_text(f"{len(wanted):,} papers chosen")
        await shown.page.screenshot(path=SCREENSHOTS / "papers-map-lasso.png")
        async with shown.page.expect_download() as download:
            await shown.page.click("#export-parquet")
        assert (await download.value).suggested_filename == "papers-map.parquet"
        assert small.exported[-1] == {"points": wanted, "format": "parquet"}
        await shown.page.click("#unchoose")
        await expect(shown.page.locator("#panel")).to_be_hidden()


def inside(site: MapSite, corners: list[tuple[int, int]]) -> list[int]:
    """The points to whose right an odd number of the polygon's sides is crossed, in whole numbers."""
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
    found: list[int] = []
    for number, (x, y) in enumerate(zip(site.made.x.tolist(), site.made.y.tolist(), strict=True)):
        odd = False
        for (x1, y1), (x2, y2) in edges:
            if (y1 > y) != (y2 > y):
                low, high = ((x1, y1), (x2, y2)) if y1 < y2 else ((x2, y2), (x1, y1))
                # a side further right than the point, at its height
                odd ^= (x - low[0]) * (high[1] - low[1]) < (high[0] - low[0]) * (y - low[1])
        if odd:
            found.append(number)
    return found


async def test_it_is_used_by_keys_alone(small: MapSite) -> None:
    async with map_page(small) as shown:
        await shown.at_rest()
        await shown.page.focus("#map")
        for _ in range(4):
            await shown.page.keyboard.press("+")
        await expect(shown.page.locator("#tip strong")).to_contain_text("Paper")
        await shown.page.keyboard.press("Enter")
        await expect(shown.page.locator("#panel h2")).to_contain_text("Paper")
        await shown.page.focus("#similar")
        await shown.page.keyboard.press("Enter")
        await expect(shown.page.locator("#panel h2")).to_contain_text("Similar to: Paper")
        await expect(shown.page.locator("#papers li")).to_have_count(20)
        await shown.page.keyboard.press("Escape")
        await expect(shown.page.locator("#panel")).to_be_hidden()
        await shown.page.keyboard.press("/")
        await shown.page.keyboard.type("10.1000/77")
        await shown.page.keyboard.press("Enter")
        await expect(shown.page.locator("#panel h2")).to_contain_text("Paper 77:")
        await expect(shown.page.locator(".ring.opened")).to_be_visible()


PALETTE = """async (count) => {
  const { colours, OTHER } = await import("/console/map/palette.js");
  const classes = Array.from({ length: count }, (_, number) => ({ class: number, name: `src${number}`, papers: 1 }));
  const { source, legend } = colours({ classes, clusters: [], years: { first: null, last: null } }, false);
  const drawn = classes.map((one) => [...source.subarray(4 * one.class, 4 * one.class + 3)].join(" "));
  const grey = [1, 3, 5].map((at) => parseInt(OTHER(false).slice(at, at + 2), 16)).join(" ");
  return [drawn, legend.source.map((one) => one.colour.slice(4, -1)), grey];
}"""


async def test_no_source_has_the_colour_that_the_legend_gives_to_another(small: MapSite) -> None:
    async with map_page(small) as shown:
        drawn, legend, grey = await shown.page.evaluate(PALETTE, 11)
    assert len(set(legend)) == 8
    assert drawn == [*legend, grey, grey, grey]
    assert grey not in legend


async def test_it_fits_a_phone_in_the_dark(small: MapSite) -> None:
    async with map_page(small, size=(390, 800), dark=True) as shown:
        await shown.at_rest()
        ground = (await shown.pixels([(3, 3)]))[0]
        assert sum(ground) < 100
        assert await shown.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        ) == [390, 800]
        await shown.page.screenshot(path=SCREENSHOTS / "papers-map-phone.png")


async def test_without_webgl_2_it_says_so(small: MapSite) -> None:
    async with browser_page(flags=("--disable-3d-apis",)) as page:
        await page.goto(f"{small.url}/console/map.html")
        await expect(page.locator("#instead")).to_contain_text("This browser draws no WebGL 2")
        assert await page.locator("#instead a").get_attribute("href") == "/console#papers"


async def test_a_wrong_filter_and_a_broken_transfer_are_told_with_their_remedy(small: MapSite) -> None:
    small.breaks_after = 300_000
    async with map_page(small, expects="") as shown:
        await expect(shown.page.locator("#message-text")).to_contain_text("The map is not whole", timeout=30_000)
        await shown.page.click("#again")
        await shown.at_rest()
        await expect(shown.page.locator("#message")).to_be_hidden()
        await shown.page.fill("#filters", "nonsense")
        await shown.page.press("#filters", "Enter")
        await expect(shown.page.locator("#message-text")).to_have_text(
            "The filter is not understood: nonsense\nWrite it as docs say."
        )
        # The refusal of what was asked for before does not stand above what is found now.
        await shown.page.fill("#filters", "source = rare")
        await shown.page.press("#filters", "Enter")
        await expect(shown.page.locator("#told")).to_contain_text("match")
        await expect(shown.page.locator("#message")).to_be_hidden()


async def test_a_context_that_was_lost_is_drawn_again(small: MapSite) -> None:
    async with map_page(small) as shown:
        await shown.at_rest()
        before = await shown.picture()
        await shown.page.evaluate(LOSE)
        await expect(shown.page.locator("#message")).to_be_hidden(timeout=10_000)
        await shown.at_rest()
        assert await shown.picture() == before


async def test_without_a_key_one_is_asked_for(small: MapSite) -> None:
    async with map_page(small, expects="401") as shown:
        await shown.page.evaluate("sessionStorage.clear()")
        await shown.page.add_init_script("sessionStorage.clear()")
        await shown.page.reload()
        await shown.page.fill("#key", "wrong")
        await shown.page.press("#key", "Enter")
        await expect(shown.page.locator("#instead .error")).to_have_text("The key is not known.")
        await shown.page.fill("#key", KEY)
        await shown.page.press("#key", "Enter")
        await shown.at_rest()
