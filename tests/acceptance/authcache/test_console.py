"""The console's view of the auth cache, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import expect

from local.browser import browser_page

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"


async def test_an_operator_sees_how_new_the_cache_is_and_disables_a_user(running: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    async with running() as app, browser_page() as page:
        [host] = app.hosts
        ann = app.verified(host, "ann@example.com")
        host.ask("POST", "/users/me/shares", {"shared_email": "bob@example.com"}, user=ann, status=201)
        assert host.host.request("POST", "/admin/functions/operations_minute", {}).status == 202
        await page.goto(f"{host.host.url}/console#accounts")
        await page.fill("#key", "acceptance")
        await page.get_by_role("button", name="Open").click()
        instances = page.locator("#instances")
        await expect(instances.get_by_text("healthy")).to_be_visible(timeout=60_000)
        fold = page.locator("#fold")
        await expect(
            fold.get_by_role("cell", name="user_shares").or_(fold.get_by_role("cell", name="shares"))
        ).to_be_visible(timeout=90_000)
        await expect(fold.locator("#table-shares")).to_contain_text("1")
        await expect(page.locator("#folds tbody tr").first).to_contain_text("what had changed")
        await expect(instances.get_by_role("columnheader", name="At once")).to_be_visible()
        await expect(instances.get_by_role("columnheader", name="Rebuilds")).to_be_visible()
        await page.fill("#wanted", "ANN@example.com")
        await page.click("#find")
        found = page.locator("#found")
        await expect(found.get_by_text("bob@example.com")).to_be_visible()
        await page.screenshot(path=SCREENSHOTS / "accounts.png", full_page=True)
        await page.click("#disable")
        await page.get_by_text("all their sessions have ended").wait_for()
        host.ask("GET", "/users/me", user=ann, status=401)
        await page.click("#enable")
        await expect(page.locator("#disable")).to_be_visible()
