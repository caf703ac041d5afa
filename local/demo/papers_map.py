"""The end of the act of the papers: the map of them, as a picture file and as an address."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.table import Table

from local.demo.client import App, DemoFailed
from local.demo.map_picture import COLOURS, picture
from local.up import Stack

WAIT_SECONDS = 240
PICTURE = "papers-map.png"
"""The file of the map's picture, in the folder of the demo's data."""


async def run(stack: Stack, app: App, console: Console, papers: int) -> None:
    """Make a map of all papers and draw it.

    Raises:
        DemoFailed: it is not made in time, or a paper has no point.
    """
    began = time.monotonic()
    version = (await app.ask("/api/papers/map/versions", {}))["version"]
    while (state := await _state(app, version))["state"] == "building":
        if time.monotonic() - began > WAIT_SECONDS:
            raise DemoFailed(f"The map is not ready after {WAIT_SECONDS} s: {state}")
        await asyncio.sleep(0.3)
    if state["state"] != "current":
        raise DemoFailed(f"The map could not be made: {state['error']}")
    found = await app.ask("/api/papers/map")
    if found["papers"] != papers:
        raise DemoFailed(f"Of {papers:,} papers {found['papers']:,} are on the map.")
    data = await app.download(found["points"]["href"])
    file = stack.options.folder / PICTURE
    drawn = await asyncio.to_thread(picture, found, data)
    await asyncio.to_thread(file.write_bytes, drawn)
    table = Table(title="Regions of the map", title_justify="left", show_header=False)
    for one in found["clusters"]:
        if one["level"] == 0:
            colour = ",".join(map(str, COLOURS[int(one["cluster"]) % len(COLOURS)]))
            table.add_row(f"[rgb({colour})]●[/]", one["name"], f"{one['papers']:,}")
    console.print(table)
    moved = (
        "" if found["moved"] is None else f" Papers moved by {found['moved']:.2%} of its width since the one before."
    )
    console.print(
        f"The map {version} of {found['papers']:,} papers was laid out by {found['fitter']} in"
        f" {time.monotonic() - began:.1f} s; all its points are {found['points']['bytes']:,} bytes.{moved}"
    )


async def _state(app: App, version: int) -> dict[str, str]:
    listed = (await app.ask("/api/papers/map/versions"))["versions"]
    return next(one for one in listed if one["version"] == version)
