"""What of the shop is on the console: the search as a file, holds and purchases at suppliers, each page on a phone."""

from __future__ import annotations

import csv
from typing import Any

from local.browser import browser_page
from tests.acceptance.diamonds.test_console import SCREENSHOTS, opened

TABS = ("diamonds", "stones", "trades", "pricing", "deployments", "queues", "operations")


async def test_a_search_is_written_to_a_file(running: Any) -> None:
    async with running("--diamonds", "300") as app, browser_page() as page:
        app.wait(app.start("full"))
        await opened(app, page, "stones")
        await page.locator("#stone-lab_grown").select_option("true")
        async with page.expect_download() as download:
            await page.click("#export")
        file = await (await download.value).path()
        rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
        assert (await download.value).suggested_filename == "diamonds.csv"
        [[wanted]] = app.rows("select count(*) from diamonds.diamonds where lab_grown")
        assert len(rows) == wanted > 0
        assert {row["lab_grown"] for row in rows} == {"true"}


async def test_an_order_whose_answer_was_lost_is_settled(running: Any) -> None:
    async with running("--diamonds", "300") as app, browser_page() as page:
        app.wait(app.start("full"))
        found = app.ask("GET", "/api/v2/diamonds?availability=available&limit=3")["data"]
        hold = app.ask("POST", f"/api/v2/diamonds/{found[0]['id']}/hold", {"minutes": 30}, status=201)
        assert hold["supplier"]["state"] == "held"
        app.control("faults", {"faults": {"lost_answer": {"probability": 1}}})
        for number, one in enumerate(found[1:]):
            answer = app.host.request(
                "POST",
                f"/api/v2/diamonds/{one['id']}/purchase",
                {},
                headers={"X-Admin-Key": "acceptance", "X-Idempotency-Key": f"key-{number}"},
            )
            assert (answer.status, answer.json()["supplier"]["state"]) == (202, "unknown")
        app.control("faults", {})
        assert app.host.request("POST", "/admin/functions/diamonds_trades", {"input": ""}).status == 202
        app.until(lambda: len(app.mails()) == 2)
        assert all(mail["subject"].endswith("is unknown") for mail in app.mails())

        await opened(app, page, "trades")
        panel = page.locator("#unsettled")
        first, second = sorted(one["id"] for one in app.ask("GET", "/api/v2/analytics/trades")["data"])
        await page.locator("#holds").get_by_text(hold["supplier"]["hold_id"]).wait_for()
        await page.fill(f"#order-{first}", "their-order-7")
        await page.wait_for_timeout(2_500)  # a refresh keeps what is typed
        await page.screenshot(path=SCREENSHOTS / "trades.png", full_page=True)
        await page.click(f"#ordered-{first}")
        await page.get_by_text(f"Purchase {first} is ordered.").wait_for()
        page.on("dialog", lambda dialog: dialog.accept())
        await page.click(f"#undone-{second}")
        await panel.wait_for(state="detached")
        await page.locator("#purchases").get_by_text("their-order-7").wait_for()
        await page.locator("#purchases").get_by_text("not ordered").wait_for()
        again = app.ask("GET", f"/api/v2/diamonds/{found[2]['id']}")
        assert again["availability"] == "available"


async def test_every_page_is_readable_on_a_phone_and_says_when_the_feed_is_read(running: Any) -> None:
    async with running("--diamonds", "300") as app, browser_page(width=390) as page:
        run = app.wait(app.start("full"))["run"]["run_id"]
        one, other = app.ask("GET", "/api/v2/diamonds?availability=available&limit=2")["data"]
        app.ask("POST", f"/api/v2/diamonds/{one['id']}/hold", {"minutes": 30}, status=201)
        app.control("faults", {"faults": {"lost_answer": {"probability": 1}}})
        headers = {"X-Admin-Key": "acceptance", "X-Idempotency-Key": "key"}
        answer = app.host.request("POST", f"/api/v2/diamonds/{other['id']}/purchase", {}, headers=headers)
        assert answer.status == 202
        await opened(app, page, "diamonds")
        feeds = page.locator("#feeds")
        await feeds.get_by_text("h old").wait_for()
        assert "Next run" in await feeds.inner_text()
        for tab in TABS:
            await page.click(f"#tab-{tab}")
            await page.locator(f"main[data-view={tab}] > section").first.wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, tab
            await page.screenshot(path=SCREENSHOTS / f"{tab}-phone.png", full_page=True)
        app.rows(f"update diamonds.run_metadata set status = 'held' where run_id = '{run}' returning run_id")
        app.wait(app.start("incremental"))
        await page.click("#tab-diamonds")
        await page.get_by_role("heading", name="A run waits to be released or discarded").wait_for()
        await page.locator("#also-held a").click()
        await page.locator("#held").get_by_role("button", name="Release").wait_for()
