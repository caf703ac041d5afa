"""All that a reader does on the map page, on the running app; and a map that comes back with a backup."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pyarrow.parquet as pq
import pytest
from playwright.async_api import Page, expect
from psycopg import conninfo, sql

from local.browser import browser_page
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.papers.conftest import KEY, ROOT, PapersApp
from tests.acceptance.papers.test_map import MAP, filled

SCREENSHOTS = ROOT / ".local" / "screenshots"


async def opened(page: Page, url: str) -> tuple[float, float]:
    """The page with its key, and the middle of its map."""
    await page.goto(url)
    await page.fill("#key", KEY)
    await page.press("#key", "Enter")
    await page.locator("#map[data-drawn='600']").wait_for(timeout=60_000)
    box = await page.locator("#map").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


PLACE = """async () => {
  const headers = { [sessionStorage.getItem("manifold-key-header")]: sessionStorage.getItem("manifold-key") };
  const ask = async (path) => (await fetch(`/api/papers/map${path}`, { headers })).json();
  const map = await ask(""), { papers } = await ask(`/${map.version}/papers?points=${[...Array(100).keys()]}`);
  const { places } = await ask(`/${map.version}/places?papers=${papers.map((one) => one.doctrove_paper_id)}`);
  const { Camera } = await import("/console/map/camera.js");
  const camera = new Camera(map.extent), canvas = document.getElementById("map"), box = canvas.getBoundingClientRect();
  camera.resize(canvas.clientWidth, canvas.clientHeight);
  const at = ({ x, y }) => camera.toScreen(...camera.fromMap(x, y)).map((one, i) => one + (i ? box.y : box.x));
  return places.map(at).find((one) => document.elementFromPoint(...one) === canvas);
}"""


async def place(page: Page) -> tuple[float, float]:
    """Where one of the papers is drawn that lie under no label, from the place that the app says, on the whole map."""
    x, y = await page.evaluate(PLACE)
    return x, y


@pytest.fixture
def app(running: Any) -> Generator[PapersApp]:
    """The app with a map of 600 papers."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running(PAPERS_EMBEDDER="hashing", PAPERS_MAP_FITTER="pca") as started:
        filled(started, 600)
        started.map_made()
        yield started


async def test_papers_are_pointed_at_opened_found_and_narrowed_on_the_running_app(app: PapersApp) -> None:
    async with browser_page(expects="401") as page:  # it has no key yet
        x, y = await opened(page, f"{app.host.url}/console/map.html")
        assert await page.locator("#labels .label").count() > 0
        await page.screenshot(path=SCREENSHOTS / "app-map.png")
        await page.mouse.move(*await place(page))
        await expect(page.locator("#tip strong")).to_have_text(re.compile(r"\w+ \w+ \d+$"))
        await page.mouse.click(*await place(page))
        await page.locator("#panel .abstract").wait_for()
        await page.screenshot(path=SCREENSHOTS / "app-map-open.png")
        await page.click("#similar")
        await expect(page.locator("#panel h2")).to_contain_text("Similar to:")
        assert await page.locator(".ring").count() > 0
        await page.click("#close")
        await page.mouse.move(x, y)
        await page.mouse.down()
        await page.mouse.move(x + 60, y + 40, steps=4)
        await page.mouse.up()
        await page.mouse.wheel(0, -400)
        await expect(page).to_have_url(re.compile("at="))
        await page.click("#home")
        for colour in ("source", "year", "cluster"):
            await page.select_option("#colour", colour)
            assert await page.locator("#legend li").count() > 0
        await page.fill("#written", "galaxy")
        await page.press("#written", "Enter")
        await expect(page.locator("#panel h2")).to_have_text("Found: galaxy")
        await page.fill("#filters", "category = rare")
        await page.press("#filters", "Enter")
        await expect(page.locator("#told")).to_have_text("6 of 600 papers match")


async def test_a_choice_is_given_away_and_a_link_shows_it_to_others_on_the_running_app(app: PapersApp) -> None:
    async with browser_page(expects="401") as page:
        await opened(page, f"{app.host.url}/console/map.html")
        await page.locator("#from").fill("2015")
        await expect(page.locator("#years-shown")).to_have_text("2015 to 2019")
        box = await page.locator("#map").bounding_box()
        assert box
        await page.click("#lasso")  # around everything: what the years leave is chosen
        corners = [(4, 4), (box["width"] - 4, 4), (box["width"] - 4, box["height"] - 4), (4, box["height"] - 4)]
        await page.mouse.move(box["x"] + 4, box["y"] + 4)
        await page.mouse.down()
        for left, top in corners[1:]:
            await page.mouse.move(box["x"] + left, box["y"] + top, steps=6)
        await page.mouse.up()
        await expect(page.locator("#panel h2")).to_have_text("300 papers chosen")
        for kind, begins in (("csv", b"id,source,"), ("ris", b"TY  -"), ("bibtex", b"@"), ("parquet", b"PAR1")):
            async with page.expect_download() as download:
                await page.click(f"#export-{kind}")
            data = await asyncio.to_thread((await (await download.value).path()).read_bytes)
            assert data.lstrip(b"\xef\xbb\xbf").startswith(begins), kind
        table: Any = pq.read_table(io.BytesIO(data))
        assert (table.num_rows, {"x", "y", "cluster"} <= set(table.column_names)) == (300, True)
        await page.screenshot(path=SCREENSHOTS / "app-map-chosen.png")
        await expect(page).to_have_url(re.compile("lasso=.*years=|years=.*lasso="))
        link = page.url
    async with browser_page(expects="401", width=390, height=800, dark=True) as other:
        await opened(other, link)
        await expect(other.locator("#panel h2")).to_have_text("300 papers chosen")
        await expect(other.locator("#years-shown")).to_have_text("2015 to 2019")
        await other.screenshot(path=SCREENSHOTS / "app-map-phone.png")


def test_a_map_comes_back_with_its_backup(running: Any, tmp_path: Path) -> None:
    changes = {"PAPERS_EMBEDDER": "hashing", "PAPERS_MAP_FITTER": "pca", "BACKUPS_CONTAINER": f"b-{uuid4().hex[:12]}"}
    papers = f"papers-{uuid4().hex[:12]}"
    with running(**changes, PAPERS_CONTAINER=papers, BACKUPS_FILES=f"{papers}/maps") as app:
        filled(app, 600)
        app.map_made()
        before = app.ask("GET", MAP)
        points, _ = app.read(before["points"]["href"])
        at = app.ask("POST", "/ops/backups", {}, status=202)["location"]
        app.until(lambda: app.ask("GET", at)["status"] == "Completed", 120)
        # After the backup another map is seen, and the one of the backup goes on living as the one before.
        app.map_made()
        app.map_made()
        app.read(before["points"]["href"], status=404)
        settings = app.settings
    name = f"restored_{uuid4().hex[:8]}"
    admin = psycopg.connect(conninfo.make_conninfo(settings["POSTGRES_DSN"], dbname="postgres"), autocommit=True)
    with admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            restored = {**settings, "POSTGRES_DSN": conninfo.make_conninfo(settings["POSTGRES_DSN"], dbname=name)}
            done = subprocess.run(
                [sys.executable, "-m", "shared.backups"], cwd=ROOT, env={**os.environ, **restored},
                capture_output=True, text=True, check=False, timeout=180,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
            with ForkedHost(ROOT, tmp_path / "restored", environment=restored) as host:
                app = PapersApp(restored, host)
                found = app.ask("GET", MAP)
                assert {**found, "drift": None} == {**before, "drift": None}
                assert app.read(found["points"]["href"])[0] == points
                # What comes next has a number that was given out before, and an address that was not.
                version = app.map_made()
                assert version == before["version"] + 1
                assert json.dumps(app.ask("GET", MAP)["points"]) != json.dumps(before["points"])
        finally:
            admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
