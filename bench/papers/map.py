"""The map page at a million points: first picture, frames while it moves, all points at rest; beside two libraries.

Every picture is read back, so that a time ends when the pixels are there. The libraries draw the same points in the
same browser, one after the other; they come from npm at the versions below, and nothing else uses them.
"""

from __future__ import annotations

import asyncio
import math
import statistics
import subprocess
import tarfile
from pathlib import Path

from playwright.async_api import TimeoutError as TooLate

from bench.papers.map_points import made_map
from bench.papers.map_site import KEY, MapSite, map_site, signed_in
from bench.report import comparison, console
from local.browser import browser_page

PEERS = Path(__file__).parents[2] / ".venv-bench" / "npm"
DECK_GL = [("deck.gl", "9.4.0", "package/dist.min.js")]
SCATTERPLOT = [
    ("pub-sub-es", "3.0.0", "package/dist/index.js"),
    ("regl", "2.1.1", "package/dist/regl.min.js"),
    ("regl-scatterplot", "1.16.0", "package/dist/regl-scatterplot.min.js"),
]
WIDTH, HEIGHT = 1200, 800
LONGEST_MS = 60_000
FRAMES, PEER_FRAMES = 60, 5
FIGURES = ("first picture", "frame, p50", "frame, p95", "all at rest")
# The moment at which the first picture is there, whoever draws it.
FIRST = """
  const draw = WebGL2RenderingContext.prototype.drawArrays;
  WebGL2RenderingContext.prototype.drawArrays = function (...given) {
    draw.apply(this, given);
    if (window.first) return;
    this.readPixels(0, 0, 1, 1, this.RGBA, this.UNSIGNED_BYTE, new Uint8Array(4));
    window.first = performance.now();
  };
"""
READ = "gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));"
MOVING = f"""async (frames) => {{
  const map = document.getElementById("map"), gl = map.getContext("webgl2"), box = map.getBoundingClientRect();
  const took = [];
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  for (let i = 0; i < frames; i++) {{
    const start = performance.now(), deltaY = i % 20 < 10 ? -40 : 40, clientX = box.x + 600, clientY = box.y + 350;
    map.dispatchEvent(new WheelEvent("wheel", {{ deltaY, clientX, clientY, cancelable: true }}));
    await frame();
    {READ}
    took.push(performance.now() - start);
  }}
  const start = performance.now();
  while (!map.dataset.drawn) await frame();
  {READ}
  return [took, performance.now() - start];
}}"""
LOAD = f"""
  const answer = await fetch("/api/papers/map/3/points", {{ headers: {{ "X-Admin-Key": "{KEY}" }} }});
  const file = await answer.arrayBuffer(), length = new DataView(file).getUint32(16, true), span = 65536;
  const x = new Float32Array(length), y = new Float32Array(length), sources = new Uint8Array(length);
  for (let from = 0; from < length; from += span) {{
    const many = Math.min(span, length - from), at = 64 + 7 * from;
    const xs = new Uint16Array(file, at, many), ys = new Uint16Array(file, at + 2 * many, many);
    for (let i = 0; i < many; i++) [x[from + i], y[from + i]] = [xs[i] / 32767.5 - 1, ys[i] / 32767.5 - 1];
    sources.set(new Uint8Array(file, at + 4 * many, many), from);
  }}
"""
REGL = f"""async (frames) => {{ {LOAD}
  const canvas = document.getElementById("plot"), start = performance.now();
  const plot = window.createScatterplot.default({{ canvas, width: 1200, height: 800, pointSize: 2, opacity: 0.4 }});
  const gl = plot.get("regl")._gl, took = [];
  await plot.draw({{ x, y, z: sources }});
  {READ}
  const first = performance.now() - start;
  for (let i = 0; i < frames; i++) {{
    const from = performance.now();
    await plot.zoomToArea({{ x: -1, y: -1, width: 2 - 0.02 * (i % 10), height: 2 - 0.02 * (i % 10) }});
    {READ}
    took.push(performance.now() - from);
  }}
  return [took, first];
}}"""
DECK = f"""async (frames) => {{ {LOAD}
  const {{ Deck, OrthographicView, ScatterplotLayer }} = window.deck, start = performance.now();
  const positions = new Float32Array(2 * length), colours = new Uint8Array(4 * length);
  for (let i = 0; i < length; i++) {{
    positions.set([x[i] * 400, y[i] * 400], 2 * i);
    colours.set([0, 60 * sources[i], 178, 100], 4 * i);
  }}
  const attributes = {{ getPosition: {{ value: positions, size: 2 }}, getFillColor: {{ value: colours, size: 4 }} }};
  let drawn = () => {{}};
  const shown = () => new Promise((seen) => {{ drawn = seen; }});
  const view = (zoom) => ({{ target: [0, 0, 0], zoom }});
  const data = {{ length, attributes }}, dots = {{ positionFormat: "XY", getRadius: 1, radiusUnits: "pixels" }};
  const layer = new ScatterplotLayer({{ id: "points", data, ...dots }});
  let gl = null;
  const deck = new Deck({{
    canvas: "plot", width: 1200, height: 800, views: new OrthographicView(), viewState: view(0), layers: [layer],
    onAfterRender: (given) => {{
      gl = given.gl ?? given.device.gl;
      {READ}
      if (layer.isLoaded) drawn();
    }},
  }});
  await shown();
  const first = performance.now() - start, took = [];
  for (let i = 0; i < frames; i++) {{
    const from = performance.now();
    deck.setProps({{ viewState: view(0.01 * (1 + i % 10)) }});
    await shown();
    took.push(performance.now() - from);
  }}
  return [took, first];
}}"""


def main(*, quick: bool) -> None:
    count = 200_000 if quick else 1_000_000
    with map_site(made_map(count)) as site:
        rows = {"this page": asyncio.run(_ours(site, count))}
        console.print("This page:", *rows["this page"])
        for libraries, script in ((DECK_GL, DECK), (SCATTERPLOT, REGL)):
            name, version, _ = libraries[-1]
            rows[f"{name} {version}"] = asyncio.run(_peer(site, libraries, script))
            console.print(name, *rows[f"{name} {version}"])
    table = comparison(f"{count:,} points, {WIDTH} x {HEIGHT}, software rendering, ms", ("", *FIGURES))
    for name, figures in rows.items():
        table.add_row(name, *figures)
    console.print(table)


async def _ours(site: MapSite, count: int) -> tuple[str, ...]:
    async with browser_page(width=WIDTH, height=HEIGHT) as page:
        await page.add_init_script(signed_in() + FIRST)
        await page.goto(f"{site.url}/console/map.html")
        await page.locator(f"#map[data-drawn='{count}']").wait_for(timeout=LONGEST_MS)
        first = await page.evaluate("window.first")
        took, rest = await page.evaluate(MOVING, FRAMES)
        return f"{first:.0f}", *_frames(took), f"{rest:.0f}"


async def _peer(site: MapSite, libraries: list[tuple[str, str, str]], script: str) -> tuple[str, ...]:
    """A library's figures; it draws all points in each frame, so that the first picture is all points."""
    async with browser_page(width=WIDTH, height=HEIGHT, expects="") as page:
        await page.goto(f"{site.url}/nothing")
        await page.set_content('<canvas id="plot" width="1200" height="800"></canvas>')
        for one in libraries:
            await page.add_script_tag(content=_code(*one))
        try:
            took, first = await asyncio.wait_for(page.evaluate(script, PEER_FRAMES), LONGEST_MS / 1000)
        except (TooLate, TimeoutError):
            return (f"> {LONGEST_MS}", *["nothing drawn"] * (len(FIGURES) - 1))
        return f"{first:.0f}", *_frames(took), f"{statistics.median(took):.0f}"


def _frames(took: list[float]) -> tuple[str, str]:
    ordered = sorted(took)
    return f"{statistics.median(ordered):.0f}", f"{ordered[math.ceil(0.95 * len(ordered)) - 1]:.0f}"


def _code(name: str, version: str, file: str) -> str:
    """The one file of a package that a page needs, as a plain script."""
    package = PEERS / f"{name}-{version}.tgz"
    if not package.exists():
        PEERS.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", "--pack-destination", str(PEERS), f"{name}@{version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(package) as packed:
        found = packed.extractfile(file)
        assert found
        code = found.read().decode()
    exported = "export { globalPubSub, createPubSub };\nexport default createPubSub;"
    return code.replace(exported, "window.createPubSub = createPubSub;")
