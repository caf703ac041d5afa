"""The map page in a real browser: opened at a link, read back by pixels, and where its points must be."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Page

from bench.papers.map_points import EXTENT, STEPS
from bench.papers.map_site import MapSite, signed_in
from local.browser import browser_page

WHOLE = (32767.5, 32767.5, 1.0)
READ = """
  const canvas = document.getElementById("map"), gl = canvas.getContext("webgl2"), { width, height } = canvas;
  const all = new Uint8Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, all);
  const at = (x, y) => 4 * ((height - 1 - y) * width + x);
  const pixel = ([x, y]) => [...all.subarray(at(x, y), at(x, y) + 3)];
"""
"""Reads the picture: then `pixel([x, y])` is a colour, from the top left."""
_PIXELS = f"(places) => {{ {READ} return places.map(pixel); }}"
_DIGEST = f"""() => {{ {READ}
  let one = 7, seen = new Set();
  for (let i = 0; i < all.length; i += 4) {{
    const colour = all[i] * 65536 + all[i + 1] * 256 + all[i + 2];
    one = (Math.imul(one, 31) + colour) | 0;
    seen.add(colour);
  }}
  return {{ digest: one, colours: seen.size }};
}}"""
_SEEN = """async ([shot, places]) => {
  const bytes = Uint8Array.from(atob(shot), (one) => one.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes]));
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return places.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3));
}"""
LOSE = """() => new Promise((lost) => {
  const canvas = document.getElementById("map");
  const extension = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
  const restore = () => { extension.restoreContext(); lost(); };
  canvas.addEventListener("webglcontextlost", () => setTimeout(restore, 50));
  extension.loseContext();
})"""
"""Takes the picture away, as a driver does, and gives it back."""
MOVE = f"""() => new Promise((seen) => {{
  const map = document.getElementById("map"), box = map.getBoundingClientRect();
  const [clientX, clientY] = [box.x + box.width / 2, box.y + box.height / 2];
  map.dispatchEvent(new WheelEvent("wheel", {{ deltaY: -100, clientX, clientY, cancelable: true }}));
  requestAnimationFrame(() => {{ {READ}
    const drawn = map.dataset.drawn;
    window.moving = pixel;
    setTimeout(() => seen([drawn, location.hash]), 600);
  }});
}})"""
"""Zooms in a little; `window.moving([x, y])` is then a colour in the very frame in which the view has changed."""


@dataclass
class MapPage:
    """The page, and the map that it shows."""

    page: Page
    site: MapSite

    async def at_rest(self) -> None:
        """All points are drawn."""
        await self.page.locator(f"#map[data-drawn='{len(self.site.made)}']").wait_for(timeout=60_000)

    async def pixels(self, places: list[tuple[int, int]]) -> list[tuple[int, ...]]:
        """The colours of the picture at these pixels, from the top left."""
        return [tuple(one) for one in await self.page.evaluate(_PIXELS, places)]

    async def seen(self, places: list[tuple[int, int]]) -> list[tuple[int, ...]]:
        """The colours that the browser shows there, whatever the canvas holds; from the top left of the window."""
        shot = base64.b64encode(await self.page.screenshot()).decode()
        return [tuple(one) for one in await self.page.evaluate(_SEEN, [shot, places])]

    async def picture(self) -> tuple[int, int]:
        """A sum over all pixels, and how many colours there are."""
        found = await self.page.evaluate(_DIGEST)
        return found["digest"], found["colours"]

    async def size(self) -> tuple[int, int]:
        box = await self.page.locator("#map").bounding_box()
        assert box
        return round(box["width"]), int(await self.page.evaluate("document.getElementById('map').clientHeight"))

    async def place(self, number: int, view: tuple[float, float, float] = WHOLE) -> tuple[float, float]:
        """Where the point must be drawn, in pixels of the canvas from its top left."""
        width, height = await self.size()
        return place_of(self.site, number, view, width, height)

    def from_screen(
        self, view: tuple[float, float, float], left: float, top: float, width: int, height: int
    ) -> tuple[float, float]:
        """What lies at this pixel of the canvas, in steps of the map's grid."""
        across, up = step_of(view[2], width, height)
        return view[0] + (left - width / 2) / across, view[1] - (top - height / 2) / up


def step_of(zoom: float, width: int, height: int) -> tuple[float, float]:
    """Pixels that one step of the grid is wide and high: 92 % of the canvas holds the whole map at zoom 1."""
    wide, high = EXTENT[2] - EXTENT[0], EXTENT[3] - EXTENT[1]
    longer = max(wide, high)
    side = 0.92 * zoom * min(width / (wide / longer), height / (high / longer)) / STEPS
    return side * wide / longer, side * high / longer


def place_of(
    site: MapSite, number: int, view: tuple[float, float, float], width: int, height: int
) -> tuple[float, float]:
    """The same from the page's documented projection."""
    across, up = step_of(view[2], width, height)
    x = width / 2 + (int(site.made.x[number]) - view[0]) * across
    y = height / 2 - (int(site.made.y[number]) - view[1]) * up
    return x, y


@asynccontextmanager
async def map_page(
    site: MapSite,
    link: str = "",
    *,
    size: tuple[int, int] = (1000, 800),
    dark: bool = False,
    expects: str | None = None,
) -> AsyncGenerator[MapPage]:
    """The page at the link, with a key already entered."""
    async with browser_page(width=size[0], height=size[1], dark=dark, expects=expects) as page:
        await page.add_init_script(signed_in())
        await page.goto(f"{site.url}/console/map.html{link}")
        yield MapPage(page, site)


def colour_of(page_colours: str) -> tuple[int, ...]:
    """`rgb(1 2 3)` or `rgb(1, 2, 3)` as numbers."""
    return tuple(json.loads("[" + ",".join(page_colours.strip("rgb()").replace(",", " ").split()) + "]"))
