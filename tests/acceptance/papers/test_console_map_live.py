"""The map page under two fingers, with the names of its regions, and while papers and another version come."""

from __future__ import annotations

import copy
import re
from collections.abc import Generator
from typing import Any

import pytest
from playwright.async_api import expect

from bench.papers.map_points import EXTENT, STEPS, made_map
from bench.papers.map_site import MapSite, map_site
from tests.acceptance.papers.map_page import MapPage, map_page

LOOK_MS = 61_000
LABELS = """() => [...document.querySelectorAll("#labels .label")].map((one) => {
  const { left, top, right, bottom } = one.getBoundingClientRect();
  return { name: one.textContent, level: one.className, left, top, right, bottom };
})"""


@pytest.fixture
def site() -> Generator[MapSite]:
    with map_site(made_map(30_000, additions=40)) as running:
        yield running


async def view_of(shown: MapPage, zoomed: float) -> tuple[float, float, float]:
    """Where the view is, once the link says that it is zoomed about as far."""
    for _ in range(100):
        found = re.search(r"at=([^&]*)", shown.page.url)
        if found:
            x, y, zoom = (float(one) for one in found[1].replace("%2C", ",").split(","))
            if abs(zoom - zoomed) < zoomed / 20:
                return x, y, zoom
        await shown.page.wait_for_timeout(50)
    raise AssertionError(shown.page.url)


async def test_two_fingers_zoom_about_what_lies_between_them(site: MapSite) -> None:
    async with map_page(site, size=(390, 800)) as shown:
        await shown.at_rest()
        box = await shown.page.locator("#map").bounding_box()
        assert box
        middle = box["x"] + 195, box["y"] + 300
        session = await shown.page.context.new_cdp_session(shown.page)

        async def fingers(kind: str, apart: float | None) -> None:
            at = [] if apart is None else [
                {"x": middle[0] - apart, "y": middle[1], "id": 1}, {"x": middle[0] + apart, "y": middle[1], "id": 2}
            ]  # fmt: skip
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

        await fingers("touchStart", 40)
        for apart in range(50, 130, 10):
            await fingers("touchMove", apart)
        await fingers("touchEnd", None)
        x, y, zoom = await view_of(shown, 3)
        # What lay between the fingers lies there still.
        width, height = await shown.size()
        before, after = (
            shown.from_screen(view, middle[0] - box["x"], middle[1] - box["y"], width, height)
            for view in ((32767.5, 32767.5, 1.0), (x, y, zoom))
        )
        assert before == pytest.approx(after, abs=600)
        await shown.at_rest()
        # And together again; a finger that rests does not open a paper.
        await fingers("touchStart", 120)
        await fingers("touchMove", 80)
        await fingers("touchMove", 40)
        await fingers("touchEnd", None)
        await view_of(shown, 1)
        await expect(shown.page.locator("#panel")).to_be_hidden()


@pytest.mark.parametrize(("zoom", "level"), [(1, 0), (2.5, 1), (9, 2)])
async def test_labels_are_those_of_the_level_that_is_seen_the_largest_first(
    site: MapSite, zoom: int, level: int
) -> None:
    clusters: list[dict[str, Any]] = [one for one in site.description["clusters"] if one["level"] == level]
    assert len(clusters) > 3
    largest = max(clusters, key=lambda one: one["papers"])
    x = (largest["x"] - EXTENT[0]) / (EXTENT[2] - EXTENT[0]) * STEPS
    y = (largest["y"] - EXTENT[1]) / (EXTENT[3] - EXTENT[1]) * STEPS
    async with map_page(site, f"#map=3&at={x},{y},{zoom}") as shown:
        await shown.at_rest()
        found = await shown.page.evaluate(LABELS)
        names = {one["name"][:33] for one in clusters}
        assert found
        assert {one["name"].rstrip("\u2026")[:33] for one in found} <= names
        assert {one["level"] for one in found} == {f"label level-{level}"}
        for number, one in enumerate(found):  # none over another
            for other in found[number + 1 :]:
                assert (
                    one["left"] > other["right"]
                    or one["right"] < other["left"]
                    or one["top"] > other["bottom"]
                    or one["bottom"] < other["top"]
                )
        [shown_largest] = [one for one in found if one["name"].rstrip("\u2026")[:33] == largest["name"][:33]]
        box = await shown.page.locator("#map").bounding_box()
        assert box
        middle = (
            (shown_largest["left"] + shown_largest["right"]) / 2,
            (shown_largest["top"] + shown_largest["bottom"]) / 2,
        )
        width, height = await shown.size()
        assert middle == pytest.approx((box["x"] + width / 2, box["y"] + height / 2), abs=2), (
            "it is where its region is"
        )


async def test_a_label_leads_to_its_region(site: MapSite) -> None:
    async with map_page(site) as shown:
        await shown.at_rest()
        await shown.page.locator("#labels .label").first.click()
        await expect(shown.page.locator("#labels .label.level-1").first).to_be_visible()
        assert await shown.page.locator("#labels .label.level-0").count() == 0


async def test_papers_that_come_appear_and_another_version_is_offered(site: MapSite) -> None:
    site.description["additions"] = 15
    async with map_page(site) as shown:
        await shown.page.clock.install()
        await shown.page.reload()
        await expect(shown.page.locator("#told")).to_have_text("30,015 papers", timeout=60_000)
        site.description["additions"] = 40
        await shown.page.clock.fast_forward(LOOK_MS)
        await expect(shown.page.locator("#told")).to_have_text("30,040 papers")
        await shown.page.clock.fast_forward(1_000)
        await shown.at_rest()
        await expect(shown.page.locator("#message")).to_be_hidden()
        # Another version, or one of the same number with other files, as after a restore of the database.
        site.description = copy.deepcopy(site.description)
        site.description["points"]["href"] += "?sha256=0123456789abcdef"
        asked = len(site.asked)
        await shown.page.clock.fast_forward(LOOK_MS)
        await expect(shown.page.locator("#message-text")).to_have_text("There is a new version of the map: 3.")
        assert not [one for one in site.asked[asked:] if "/points" in one], "it is offered, not forced"
        await shown.page.locator("#message button", has_text="Show it").click()
        await expect(shown.page.locator("#told")).to_have_text("30,040 papers", timeout=60_000)
        assert any("sha256=0123456789abcdef" in one for one in site.asked)


async def test_on_a_phone_the_map_is_seen_beside_what_was_chosen() -> None:
    around = "#map=3&at=32767.5,32767.5,1&colour=cluster&lasso=-20000,-3000,90000,-3000,90000,68000,-20000,68000"
    with map_site(made_map(900)) as few:
        async with map_page(few, around, size=(390, 800), dark=True) as shown:
            await expect(shown.page.locator("#panel h2")).to_have_text("900 papers chosen", timeout=30_000)
            await shown.at_rest()
            await shown.page.wait_for_timeout(500)  # until the browser has put its layers together
            box, panel = [await shown.page.locator(one).bounding_box() for one in ("#map", "#panel")]
            assert box
            assert panel
            assert panel["y"] - box["y"] > 200, "there is room for the map"
            empty = [(x, 60) for x in range(80, 380, 20)]  # above the lasso and the points
            seen = await shown.seen([(x + round(box["x"]), y + round(box["y"])) for x, y in empty])
            assert await shown.pixels(empty) == seen == [(18, 20, 23)] * len(empty)
