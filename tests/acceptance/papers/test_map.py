"""A map on the real host: made, served as its page says, filtered, exported; and whatever is killed on the way."""

from __future__ import annotations

import io
import random
import struct
import time
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow.parquet as pq
import pytest
from playwright.async_api import expect

from local.browser import browser_page
from tests.acceptance.papers.conftest import KEY, lines
from tests.acceptance.papers.test_ingest import record

KILLS = 4
MAP = "/api/papers/map"


def papers(count: int) -> bytes:
    """Papers with words of their own, of ten years and three categories."""
    chosen = random.Random(16)
    words = [
        f"{a}{b}" for a in ("ga", "ne", "ti", "lo", "mu", "ra") for b in ("laxy", "twork", "gene", "metry", "tron")
    ]
    found: list[dict[str, Any]] = []
    for number in range(count):
        some = words[number % 3 * 10 : number % 3 * 10 + 10]
        found.append(
            record(number)
            | {
                "title": f"{chosen.choice(some)} {chosen.choice(some)} {number}",
                "abstract": " ".join(chosen.choice(some) for _ in range(30)),
                "categories": f"c.{number % 3}" + (" rare" if number % 100 == 7 else ""),
                "update_date": f"{2010 + number % 10}-03-04",
            }
        )
    return lines(found)


def filled(app: Any, count: int, name: str = "a.jsonl") -> None:
    blob = app.upload(name, papers(count))
    started = app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)
    assert app.ended(started["location"])["state"] == "completed"
    app.ask("POST", "/api/papers/enrich", status=202)
    app.until(lambda: any(one["waiting"] == 0 for one in app.ask("GET", "/api/papers/models")["models"]), 120)


def test_a_map_is_made_served_filtered_and_exported(running: Any) -> None:
    with running(PAPERS_EMBEDDER="hashing", PAPERS_MAP_FITTER="pca") as app:
        app.ask("GET", MAP, status=404)
        filled(app, 600)
        version = app.map_made()
        found = app.ask("GET", MAP)
        assert (found["version"], found["papers"], found["years"]) == (
            version,
            600,
            {"first": 2010, "last": 2019, "undated": 0},
        )
        body, headers = app.read(found["points"]["href"])
        assert len(body) == found["points"]["bytes"] == 64 + 600 * 7
        assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert not headers["ETag"].startswith("W/")
        app.read(found["points"]["href"], {"If-None-Match": headers["ETag"]}, status=304)
        # The address of one file never comes to mean another: a restored database gives its numbers out again.
        address, _, checksum = found["points"]["href"].partition("=")
        assert found["points"]["sha256"].startswith(checksum)
        app.read(f"{address}={'0' * 16}", status=404)
        _, headers = app.read(f"{MAP}/{version}/points")
        assert headers["Cache-Control"] == "no-cache"
        density, _ = app.read(found["density"]["href"])
        assert len(density) == 609_344
        assert struct.unpack_from("<4sHH", density) == (b"PDEN", 1, 4)
        assert np.frombuffer(density, "<u4", 32 * 32, 64).sum() == 600
        # All points that match, of however many.
        numbers, headers = app.read(f"{MAP}/{version}/matches?{urlencode({'filters': 'category = rare'})}")
        rare = np.frombuffer(numbers, "<u4")
        assert headers["X-Total-Count"] == str(len(rare)) == "6"
        asked = ",".join(map(str, rare.tolist()))
        [*shown] = app.ask("GET", f"{MAP}/{version}/papers?points={asked}")["papers"]
        assert all("rare" in one["categories"] for one in shown)
        assert [one["point"] for one in shown] == rare.tolist()
        # The search within a rectangle, and the same as points.
        sides = app.ask("GET", "/api/max-extent")
        middle = (sides["x_min"] + sides["x_max"]) / 2
        left = f"{sides['x_min']},{sides['y_min']},{middle},{sides['y_max']}"
        inside = app.ask("GET", f"/api/papers?{urlencode({'bbox': left, 'limit': 600, 'sort': 'newest'})}")
        numbers, _ = app.read(f"{MAP}/{version}/matches?{urlencode({'bbox': left})}")
        assert 0 < len(numbers) // 4 == inside["total_count"] == len(inside["results"]) < 600
        ids = ",".join(one["doctrove_paper_id"] for one in inside["results"][:5])
        places = app.ask("GET", f"{MAP}/{version}/places?papers={ids}")["places"]
        assert len(places) == 5
        assert all(one["x"] <= middle for one in places)
        file = app.host.request(
            "POST", f"{MAP}/{version}/export", {"points": rare.tolist()}, headers={"X-Admin-Key": "acceptance"}
        )
        assert file.status == 200
        exported: Any = pq.read_table(io.BytesIO(file.body))
        assert exported.num_rows == 6
        assert {"x", "y", "point", "cluster", "doctrove_title"} <= set(exported.column_names)
        app.read(f"{MAP}/{version + 1}/points", status=404)


def test_papers_that_come_later_are_placed_by_the_minute_timer(running: Any) -> None:
    with running(PAPERS_EMBEDDER="hashing", PAPERS_MAP_FITTER="pca") as app:
        filled(app, 100)
        version = app.map_made()
        filled(app, 130, "b.jsonl")
        app.minute()
        app.until(lambda: app.ask("GET", MAP)["additions"] == 30)
        body, _ = app.read(f"{MAP}/{version}/additions")
        assert struct.unpack_from("<4sHHIII", body) == (b"PMAP", 1, 7, version, 100, 30)


@pytest.mark.crash
def test_kills_anywhere_leave_one_complete_map(running: Any) -> None:
    """Kills while a map is made by t-SNE, also one that takes the place of another: every paper has one point."""
    chosen = random.Random(16)
    changes = {"PAPERS_MAP_FITTER": "tsne", "PAPERS_MAP_FIT_SECONDS": "1", "PAPERS_MAP_SAMPLE": "2500"}
    with running(PAPERS_EMBEDDER="hashing", **changes) as app:
        filled(app, 4_000)
        for _ in range(2):
            version = app.ask("POST", f"{MAP}/versions", status=202)["version"]
            for _ in range(KILLS):
                time.sleep(chosen.uniform(0.1, 1.5))
                assert "paper_map" in app.host.restart_by_kill()
            app.until(lambda version=version: app.map_state(version) in ("current", "failed"), 200)
            assert app.map_state(version) == "current", app.ask("GET", f"{MAP}/versions")
            assert app.execute(
                f"select count(*), count(distinct paper_id), min(point), max(point) from papers.map_points_{version}"
            ) == [(4_000, 4_000, 0, 3_999)]
        found = app.ask("GET", MAP)
        assert found["fitter"] == "tsne"
        assert found["moved"] < 0.02
        body, _ = app.read(found["points"]["href"])
        assert len(body) == 64 + 4_000 * 7
        assert app.execute("select count(*) from pg_tables where tablename ~ '^map_(sample|placed)_'") == [(0,)]


async def test_the_page_draws_what_the_app_serves(running: Any) -> None:
    with running(PAPERS_EMBEDDER="hashing", PAPERS_MAP_FITTER="pca") as app:
        filled(app, 600)
        app.map_made()
        async with browser_page(expects="401") as page:  # it has no key yet
            await page.goto(f"{app.host.url}/console/map.html#colour=year&filters=category+%3D+rare")
            await page.fill("#key", KEY)
            await page.press("#key", "Enter")
            await expect(page.locator("#told")).to_have_text("6 of 600 papers match", timeout=30_000)
            await page.locator("#map[data-drawn='600']").wait_for()
            await page.focus("#map")
            await page.keyboard.press("v")
            await expect(page.locator("#panel h2")).to_have_text("6 papers chosen")
            async with page.expect_download() as download:
                await page.click("#export-csv")
            assert len((await (await download.value).path()).read_text().splitlines()) == 7
            await page.locator("#papers button").first.click()
            await page.click("#similar")
            await expect(page.locator("#panel h2")).to_contain_text("Similar to:")
            await page.fill("#written", "galaxy 7")
            await page.press("#written", "Enter")
            await expect(page.locator("#panel h2")).to_have_text("Found: galaxy 7")
