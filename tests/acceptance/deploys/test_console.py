"""The deployments of an organization as an operator sees them, in a real browser."""

from __future__ import annotations

from pathlib import Path

from local.browser import browser_page

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"


async def test_an_operator_watches_cancels_and_retries_a_deployment(running) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running() as app:
        async with browser_page() as page:
            app.wait(app.deploy("shop", "one"))
            app.wait(app.deploy("shop", None))
            slow = app.deploy("shop", "two", build_seconds=30)
            await page.goto(f"{app.host.url}/console#deployments")
            await page.fill("#key", "acceptance")
            await page.get_by_role("button", name="Open").click()
            await page.fill("#organization", app.organization)
            await page.click("#show-organization")
            await page.get_by_role("heading", name=f"Deployments of {app.organization}").wait_for()
            await page.get_by_role("heading", name=slow).wait_for()
            await page.locator("#deployment-log", has_text="building shop").wait_for()
            await page.screenshot(path=SCREENSHOTS / "deployments.png", full_page=True)
            await page.click("#cancel-deployment")
            await page.get_by_role("heading", name="cancelled").wait_for(timeout=20_000)
            await page.get_by_role("cell", name="revision-unhealthy").first.click()
            await page.locator("#deployment-log", has_text="this version is broken").wait_for()
            before = page.url
            await page.click("#retry-deployment")
            await page.wait_for_url(lambda url: url != before)
            await page.get_by_role("heading", name="failed").wait_for(timeout=30_000)
