"""The console as an operator sees it, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.browser import browser_page

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"


async def test_an_operator_starts_a_run_and_watches_it_to_its_end(running: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    async with running("--diamonds", "3000", "--latency-ms", "40") as app, browser_page() as page:
        await page.goto(f"{app.host.url}/console")
        await page.get_by_text("Enter the admin key").wait_for()
        await page.fill("#key", "acceptance")
        await page.get_by_role("button", name="Open").click()
        await page.get_by_text("No run yet").wait_for()
        await page.click("#run-full")
        await page.get_by_role("heading", name="running").wait_for()
        await page.get_by_role("cell", name="p002").first.wait_for()
        await page.get_by_role("heading", name="completed").wait_for(timeout=90_000)
        figures = await page.locator(".figures").inner_text()
        assert "3,000" in figures
        assert await page.locator("svg rect.bar").count() == 3
        await page.screenshot(path=SCREENSHOTS / "diamonds.png", full_page=True)
        await page.get_by_role("link", name="Operations").click()
        await page.get_by_role("cell", name="diamonds-nivoda").click()
        await page.get_by_role("cell", name="plan_run").wait_for()
        await page.screenshot(path=SCREENSHOTS / "operations.png")


async def test_a_wrong_key_is_refused_in_words_and_forgotten(running: Any) -> None:
    async with running("--diamonds", "10") as app, browser_page(dark=True, expects="401") as page:
        await page.goto(f"{app.host.url}/console")
        await page.fill("#key", "wrong")
        await page.get_by_role("button", name="Open").click()
        await page.get_by_text("The admin key is missing or wrong.").wait_for()
        await page.get_by_role("button", name="Open").wait_for()
        assert await page.evaluate("sessionStorage.length") == 0
