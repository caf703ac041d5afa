"""The deployments of an organization as an operator sees them, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from local.browser import browser_page

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"
HEALTH = "503"  # there is no database here, which the console's look at the app's health says


async def test_an_operator_watches_cancels_and_retries_a_deployment_by_keyboard(running) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running() as app:
        async with browser_page(expects=HEALTH) as page:
            app.wait(app.deploy("shop", "one"))
            broken = app.deploy("shop", None)
            app.wait(broken)
            slow = app.deploy("shop", "two", build_seconds=60)
            await page.goto(f"{app.host.url}/console#deployments")
            await page.fill("#key", "acceptance")
            await page.keyboard.press("Enter")
            await page.fill("#organization", app.organization)
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name=f"Deployments of {app.organization}").wait_for()
            await page.get_by_role("heading", name=slow).wait_for()
            log = page.locator("#deployment-log")
            await log.get_by_text("building shop").wait_for()
            await page.screenshot(path=SCREENSHOTS / "deployments.png", full_page=True)

            await expect(log).not_to_have_text(await log.inner_text())  # it grows
            await page.focus("#cancel-deployment")
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name=f"{slow} cancelled").wait_for(timeout=20_000)

            await page.focus(f"#row-{broken}")
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name=f"{broken} failed").wait_for()
            await log.get_by_text("this version is broken", exact=False).first.wait_for()
            await page.screenshot(path=SCREENSHOTS / "deployment-failed.png", full_page=True)
            await expect(page.locator(f"#row-{broken}")).to_be_focused()
            before = page.url
            await page.focus("#retry-deployment")
            await page.keyboard.press("Enter")
            await page.wait_for_url(lambda url: url != before)
            await page.get_by_role("heading", name="failed").wait_for(timeout=30_000)


async def test_who_reads_further_up_in_a_log_is_not_pulled_to_its_end(running) -> None:
    with running() as app:
        async with browser_page(height=700, expects=HEALTH) as page:
            slow = app.deploy("shop", "two", build_seconds=60)
            app.until(slow, lambda _: app.log(slow).count(" .") > 40)
            await page.goto(f"{app.host.url}/console#deployments/{app.organization}/{slow}")
            await page.fill("#key", "acceptance")
            await page.keyboard.press("Enter")
            log = page.locator("#deployment-log")
            await log.get_by_text("building shop", exact=False).wait_for()
            at_the_end = "one => one.scrollTop + one.clientHeight >= one.scrollHeight - 8"
            assert await log.evaluate(at_the_end)
            await log.evaluate("one => { one.scrollTop = 0; }")
            await expect(log).not_to_have_text(await log.inner_text())  # it grows
            assert await log.evaluate("one => one.scrollTop") == 0
