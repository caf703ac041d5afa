"""The papers on the console, in a real browser: a search, a held file with what was rejected, the models."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Route, expect

from local.browser import browser_page
from tests.acceptance.papers.conftest import KEY, lines
from tests.acceptance.papers.test_ingest import record

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"
EXAMPLES = Path(__file__).parents[3] / "examples" / "papers"


def filled(app: Any) -> None:
    """The snapshot with its vectors, and a file that is held."""
    for name, data in (
        ("good.jsonl", (EXAMPLES / "arxiv-snapshot.jsonl").read_bytes()),
        ("bad.jsonl", lines([record(n) | {"title": None if n < 4 else "<b>Fine</b>"} for n in range(10)])),
    ):
        blob = app.upload(name, data)
        app.ended(app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)["location"])
    app.ask("POST", "/api/papers/enrich", status=202)
    app.until(lambda: any(not one["waiting"] for one in app.ask("GET", "/api/papers/models")["models"]))


async def opened(page: Page, app: Any) -> None:
    await page.goto(f"{app.host.url}/console#papers")
    await page.fill("#key", KEY)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Find papers").wait_for()


async def test_papers_are_searched_and_a_held_file_is_released(running: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running() as app:
        filled(app)
        async with browser_page(expects="400") as page:
            await opened(page, app)
            await page.fill("#written", "photon pairs at hadron colliders")
            await page.fill("#filters", "year = 2007")
            await page.keyboard.press("Enter")
            await expect(page.locator("#searching tbody tr").first).to_contain_text("diphoton production")
            await expect(page.locator("#told")).to_contain_text("found by exact and words")
            await page.screenshot(path=SCREENSHOTS / "papers.png", full_page=True)
            await page.fill("#filters", "year = soon")
            await page.keyboard.press("Enter")
            await expect(page.locator("#searching .error")).to_contain_text("a year is needed")
            await page.locator("#ingests tbody tr", has_text="bad.jsonl").click()
            await expect(page.locator("#ingest")).to_contain_text("4 of 10 records could not be read")
            await expect(page.locator("#ingest tbody tr")).to_have_count(4)
            await page.screenshot(path=SCREENSHOTS / "papers-held.png", full_page=True)
            await page.click("#release")
            await page.get_by_text("It is merged as it is.").wait_for()
            await expect(page.locator("#ingest")).to_contain_text("completed")
            await expect(page.locator("#models tbody tr")).to_contain_text("static l2-supercat-256")
            await expect(page.locator("#models tbody tr")).to_contain_text("vectors are searched one by one")


async def test_a_late_answer_does_not_take_the_place_of_a_later_question(running: Any) -> None:
    with running() as app:
        filled(app)
        async with browser_page() as page:
            await opened(page, app)
            let_go, answered = asyncio.Event(), asyncio.Event()

            async def late(route: Route) -> None:
                await let_go.wait()
                await route.continue_()

            await page.route("**/api/papers?*pebbles*", late)
            page.on("requestfinished", lambda request: answered.set() if "pebbles" in request.url else None)
            await page.fill("#written", "sparse graphs and pebbles")
            await page.keyboard.press("Enter")
            await page.fill("#written", "photon pairs at hadron colliders")
            await page.keyboard.press("Enter")
            await expect(page.locator("#searching tbody tr").first).to_contain_text("diphoton production")
            let_go.set()
            await answered.wait()
            await page.evaluate("new Promise((done) => setTimeout(done, 300))")
            await expect(page.locator("#searching tbody tr").first).to_contain_text("diphoton production")


async def test_it_fits_a_phone_in_the_dark(running: Any) -> None:
    with running() as app:
        filled(app)
        async with browser_page() as page:
            await page.set_viewport_size({"width": 390, "height": 800})
            await page.emulate_media(color_scheme="dark")
            await opened(page, app)
            await page.locator("#models tbody tr").first.wait_for()
            await page.screenshot(path=SCREENSHOTS / "papers-phone.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_refused_texts_are_shown_and_tried_again_and_a_held_model_is_released(running: Any) -> None:
    with running() as app:
        filled(app)
        [(model_id,)] = app.execute("select model_id from papers.models")
        app.execute(
            "insert into papers.unembedded (model_id, paper_id, refusals, refusal, error)"
            " select %s, paper_id, 4, 'The input was filtered.', 'The input was filtered.' from papers.papers limit 1",
            model_id,
        )
        app.execute("update papers.models set version = 'older'")
        app.execute(
            "with made as (insert into papers.models (name, version, dimensions, state, held_because, centre)"
            " select name, 'l2-supercat-256', dimensions, 'building', 'It lacks vectors.', centre from papers.models"
            " returning model_id) select papers.make_vectors(model_id) from made"
        )
        app.execute(
            f"insert into papers.vectors_{model_id + 1} select paper_id, embedding, cut from papers.vectors_{model_id}"
        )
        async with browser_page() as page:
            await opened(page, app)
            await expect(page.locator("#models")).to_contain_text("It lacks vectors.")
            await expect(page.locator("#models tbody tr", has_text="The input was filtered.")).to_contain_text("failed")
            await page.screenshot(path=SCREENSHOTS / "papers-refused.png", full_page=True)
            await page.click("#release-model")
            await page.get_by_text("The model is searched as it is.").wait_for()
            await expect(page.locator(f"#model-{model_id}")).to_contain_text("previous")
            await page.click("#retry")
            await page.get_by_text("Texts that were refused are tried again now.").wait_for()
            await expect(page.locator("#models", has_text="The input was filtered.")).to_have_count(0)
            assert app.execute("select error, refusal from papers.unembedded") == [(None, None)]
