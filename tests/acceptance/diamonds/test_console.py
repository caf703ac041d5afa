"""The console as an operator sees it, in a real browser."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusMessage
from playwright.async_api import expect

from local.browser import browser_page
from tests.acceptance.diamonds.test_operations import held_run
from tests.present import present

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"


async def test_an_operator_starts_a_run_and_watches_it_to_its_end(running: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    async with running("--diamonds", "3000", "--latency-ms", "40") as app, browser_page() as page:
        await page.goto(f"{app.host.url}/console")
        await page.get_by_text("Enter a key to see what runs").wait_for()
        await page.fill("#key", "acceptance")
        await page.get_by_role("button", name="Open").click()
        await page.get_by_text("No run yet").wait_for()
        await page.click("#run-full")
        await page.get_by_role("heading", name="running").wait_for()
        await page.get_by_role("cell", name="p002").first.wait_for()
        await page.get_by_role("heading", name="completed").wait_for(timeout=90_000)
        figures = await page.locator(".figures").first.inner_text()
        assert "3,000" in figures
        assert await page.locator("svg[aria-label='Diamonds of each partition'] rect.bar").count() == 3
        await page.screenshot(path=SCREENSHOTS / "diamonds.png", full_page=True)
        await page.get_by_role("link", name="Operations").click()
        await page.get_by_role("cell", name="diamonds-nivoda").click()
        await page.get_by_role("cell", name="plan_run").wait_for()
        await page.screenshot(path=SCREENSHOTS / "operations.png")


async def opened(app: Any, page: Any, view: str) -> None:
    await page.goto(f"{app.host.url}/console#{view}")
    await page.fill("#key", "acceptance")
    await page.get_by_role("button", name="Open").click()


async def test_the_history_of_runs_and_the_prices_on_offer_are_drawn(running: Any) -> None:
    async with running("--diamonds", "1000") as app, browser_page() as page:
        for kind in ("full", "incremental"):
            app.wait(app.start(kind))
        await opened(app, page, "diamonds")
        rows = page.locator("svg[aria-label='Diamonds of each run'] rect.bar")
        await rows.first.wait_for()
        assert await rows.count() == await page.locator("svg[aria-label='Seconds of each run'] rect.bar").count() == 2
        assert "1,000 diamonds, full" in str(await rows.first.text_content())
        offered = page.locator("section", has=page.get_by_role("heading", name="On offer"))
        assert "1,000" in await offered.inner_text()
        spread = offered.locator("svg rect.bar")
        texts = [await spread.nth(n).text_content() for n in range(await spread.count())]
        assert sum(int(present(text).split(": ")[1].split(" ")[0].replace(",", "")) for text in texts) == 1000
        await page.screenshot(path=SCREENSHOTS / "diamonds-history.png", full_page=True)


async def test_what_could_not_be_priced_is_shown_and_tried_again(running: Any) -> None:
    async with running("--diamonds", "1000", "--fault", "unmappable:0.01") as app, browser_page() as page:
        failed = app.wait(app.start("full"))["run"]["failed"]
        assert failed > 5
        await opened(app, page, "diamonds")
        panel = page.locator("#failed-nivoda")
        await panel.get_by_role("heading", name=f"Could not be priced: {failed} of nivoda").wait_for()
        assert "carats: missing" in await panel.inner_text()
        await page.screenshot(path=SCREENSHOTS / "diamonds-failed.png", full_page=True)
        # What was wrong is mended behind the app's back, as a fix of the mapping would.
        app.rows(
            "update diamonds.raw_diamonds set payload = jsonb_set(jsonb_set(payload, '{diamond,certificate,shape}',"
            " '\"ROUND\"'), '{diamond,certificate,carats}', '0.5') where consolidation_status = 'failed' returning id"
        )
        await page.click("#requeue-nivoda")
        await page.get_by_text(f"{failed} wait again; they are being consolidated.").wait_for()
        await panel.wait_for(state="detached")
        assert app.rows("select count(*) from diamonds.diamonds") == [(1000,)]


async def test_a_held_run_is_read_again_from_the_console_by_keyboard(running: Any) -> None:
    async with running("--diamonds", "2500") as app, browser_page(width=420) as page:
        run = held_run(app)["run"]["run_id"]
        await opened(app, page, "diamonds")
        await page.locator("#held").get_by_text("This run is held").wait_for()
        await page.screenshot(path=SCREENSHOTS / "held-phone.png", full_page=True)
        row = page.locator(f"#run-{run}")
        await row.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/console#diamonds/{run}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 420, "wide tables scroll by themselves"
        await page.locator("#run-retry").focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Its failed partitions are read again.").wait_for()
        await page.locator(f"#run-{run}").get_by_text("completed").wait_for(timeout=60_000)
        await page.locator("#run-retry").wait_for(state="detached")
        assert app.wait(run)["run"]["consolidated"] == 2500


async def test_a_run_held_for_what_it_would_change_says_so_and_is_released(running: Any) -> None:
    async with running("--diamonds", "500", "--fault", "unmappable:0.5") as app, browser_page(dark=True) as page:
        ended = app.wait(app.start("full"))
        failed = ended["difference"]["failed"]
        assert (ended["run"]["status"], ended["run"]["consolidated"]) == ("held", 0)
        await opened(app, page, "diamonds")
        held = page.locator("#held")
        await held.get_by_text(ended["run"]["error"].split(".")[0], exact=False).wait_for()
        shown = await held.locator(".figures").inner_text()
        assert f"cannot be priced\n{failed}\n" in shown
        assert shown.startswith(f"new\n{500 - failed}\n")
        await page.screenshot(path=SCREENSHOTS / "held.png", full_page=True)
        page.on("dialog", lambda dialog: dialog.accept())
        await held.get_by_role("button", name="Release").click()
        await held.wait_for(state="detached", timeout=60_000)
        await page.locator("#changes").get_by_text("cannot be priced").wait_for()
        assert app.wait(ended["run"]["run_id"])["run"]["consolidated"] == 500 - failed


async def test_a_run_is_cancelled_from_the_console(running: Any) -> None:
    async with running("--diamonds", "3000", "--latency-ms", "1000") as app, browser_page() as page:
        run = app.start("full")
        app.until(lambda: app.rows("select 1 from diamonds.run_metadata") != [])
        await opened(app, page, "diamonds")
        page.on("dialog", lambda dialog: dialog.accept())
        await page.click("#run-cancel")
        await page.locator(f"#run-{run}").get_by_text("cancelled").wait_for()
        await page.get_by_text("It ended before it was planned.").first.wait_for()
        assert await page.locator("#run-cancel").count() == 0


async def test_a_pricing_rule_is_previewed_saved_and_applied(running: Any) -> None:
    async with running("--diamonds", "1000") as app, browser_page(expects="412") as page:
        app.wait(app.start("full"))
        await opened(app, page, "pricing")
        await page.click("#rule-new")
        await page.fill("#rule-shapes", "oval, pear")
        await page.fill("#rule-markup_ratio", "1.5")
        await page.click("#rule-preview")
        told = await page.locator("#effect").inner_text()
        [[fitting]] = app.rows("select count(*) from diamonds.diamonds where shape in ('OVAL', 'PEAR')")
        assert str(fitting) in told
        assert app.rows("select count(*) from diamonds.pricing_rules") == [(0,)]
        await page.screenshot(path=SCREENSHOTS / "pricing-preview.png", full_page=True)
        await page.click("#rule-save")
        await page.get_by_role("cell", name="OVAL, PEAR").wait_for()
        await page.click("#reprice-nivoda")
        await page.get_by_text("Every diamond has the price of these rules.").wait_for()
        assert app.rows("select count(*) from diamonds.diamonds where markup_ratio = 1.5") == [(fitting,)]
        await page.get_by_role("cell", name="OVAL, PEAR").click()
        await page.fill("#rule-markup_ratio", "1.6")
        app.rows("update diamonds.pricing_rules set rating = 4 returning id")
        await page.click("#rule-save")
        await page.get_by_text("somebody else has changed it").wait_for()
        await page.screenshot(path=SCREENSHOTS / "pricing.png", full_page=True)
        await page.click("#rule-close")
        await page.get_by_role("cell", name="4", exact=True).wait_for()  # the list shows what the other one wrote
        await page.get_by_role("cell", name="OVAL, PEAR").click()
        await page.click("#rule-preview-delete")
        await page.click("#rule-delete")
        await page.get_by_text("No rule yet.").wait_for()
        assert app.rows("select count(*) from diamonds.pricing_rules") == [(0,)]


async def test_dead_letters_are_read_and_put_back(running: Any) -> None:
    async with running("--diamonds", "10") as app, browser_page() as page:
        app_sends(app, "no JSON at all <b>bold</b>")
        app.until(lambda: app.ask("GET", "/ops/queues")["data"][0]["dead_letters"] == 1)
        await opened(app, page, "queues/consolidate")
        await page.get_by_text("no JSON at all <b>bold</b>").wait_for()
        await page.screenshot(path=SCREENSHOTS / "queues.png", full_page=True)
        first = page.locator("tbody button").first
        number = await first.get_attribute("id")
        await first.click()
        # It cannot be worked on this time either, and comes back under another number.
        await page.locator(f"#{number}").wait_for(state="detached")
        await page.locator("tbody button").first.wait_for()


def app_sends(app: Any, body: str) -> None:
    """Put a message on the queue `consolidate`."""
    with (
        ServiceBusClient.from_connection_string(app.settings["ServiceBus"]) as client,
        client.get_queue_sender("consolidate") as sender,
    ):
        sender.send_messages(ServiceBusMessage(body))


async def test_a_wrong_key_is_refused_in_words_and_forgotten(running: Any) -> None:
    async with running("--diamonds", "10") as app, browser_page(dark=True, expects="401") as page:
        await page.goto(f"{app.host.url}/console")
        await page.fill("#key", "wrong")
        await page.get_by_role("button", name="Open").click()
        await page.get_by_text("The admin key is missing or wrong.").wait_for()
        await page.get_by_role("button", name="Open").wait_for()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_the_documentation_page_signs_requests(running: Any) -> None:
    secret = "s" * 32
    async with (
        running("--diamonds", "10", HMAC_SECRETS=json.dumps({"signer": secret})) as app,
        browser_page(expects="a status of 40") as page,
    ):
        app.grant("signer", "diamonds:read", "--hmac")
        await page.goto(f"{app.host.url}/docs")
        await page.fill("#key-client", "signer")
        await page.fill("#key-Signature", secret)
        search = page.locator("#diamonds_search")
        await search.locator("summary").click()
        await page.fill("#diamonds_search-query-shape", "OVAL é")
        for _ in range(2):  # a signature is good once: each request has its own
            await search.get_by_role("button", name="Send").click()
            await search.get_by_text("200 OK").wait_for()
            await page.wait_for_timeout(1100)
        availability = page.locator("#diamonds_availability")
        await availability.locator("summary").click()
        await page.fill("#diamonds_availability-path-diamond_id", "7")
        await availability.get_by_role("button", name="Send").click()
        await availability.get_by_text("404 Not Found").wait_for()  # of the diamond: the signature is right
        assert await page.evaluate("sessionStorage.length + localStorage.length") == 0
        await page.screenshot(path=SCREENSHOTS / "docs-signed.png")
        # Whoever has a token of an account sends it as a bearer.
        await page.get_by_label("Authorization: Bearer (UserToken)").fill("token")
        assert "undefined" not in await page.locator("#keys").inner_text()
        me = page.locator("#authcache_me")
        await me.locator("summary").click()
        async with page.expect_request("**/api/v1/users/me") as sent:
            await me.get_by_role("button", name="Send").click()
        assert (await (await sent.value).all_headers())["authorization"] == "Bearer token"


def principal(*roles: str) -> dict[str, str]:
    """What App Service adds to the requests of a browser whose user is signed in, and removes from all others."""
    claims = [{"typ": "roles", "val": role} for role in roles]
    told = base64.b64encode(json.dumps({"claims": claims}).encode()).decode()
    return {"X-MS-CLIENT-PRINCIPAL": told, "X-MS-CLIENT-PRINCIPAL-NAME": "ada@example.com"}


async def test_an_operator_who_is_signed_in_needs_no_key(running: Any) -> None:
    async with running("--diamonds", "10", OPERATOR_SIGN_IN="entra") as app:
        async with browser_page() as page:
            await page.goto(f"{app.host.url}/console")
            link = page.get_by_role("link", name="Sign in")
            assert await link.get_attribute("href") == "/.auth/login/aad?post_login_redirect_uri=/console"
            await page.set_extra_http_headers(principal("operator"))
            await page.goto(f"{app.host.url}/console")
            await page.get_by_text("No run yet").wait_for()
            assert await page.locator("#key-form").is_hidden()
        async with browser_page(expects="403") as page:
            await page.set_extra_http_headers(principal("reader"))
            await page.goto(f"{app.host.url}/console")
            await page.get_by_text("has not the app role operator").wait_for()


async def test_a_refresh_keeps_focus_selection_scroll_and_what_is_typed(running: Any) -> None:
    async with running("--diamonds", "500") as app, browser_page(height=500) as page:
        app.wait(app.start("full"))
        await opened(app, page, "diamonds")
        row = page.locator("tr[id^=run-]").first
        await row.focus()
        handle = await row.element_handle()
        await page.evaluate("scrollTo(0, 300)")
        select = "one => getSelection().selectAllChildren(one.querySelector('td'))"
        await row.evaluate(select)
        selected = await page.evaluate("getSelection().toString()")
        app.wait(app.start("incremental"))
        await expect(page.locator("tr[id^=run-]")).to_have_count(2)  # a newer one was drawn above it
        await page.wait_for_timeout(2_500)
        assert await handle.evaluate("one => one.isConnected && document.activeElement === one")
        assert await page.evaluate("getSelection().toString()") == selected != ""
        assert await page.evaluate("scrollY") == 300
        await opened_view(page, "operations")
        await page.locator("#find-name").press_sequentially("diamond_r", delay=700)
        await expect(page.locator("#find-name")).to_be_focused()
        assert await page.input_value("#find-name") == "diamond_r"
        await expect(page.locator("tr[id^=instance-]")).to_have_count(1)


async def opened_view(page: Any, view: str) -> None:
    await page.evaluate(f"location.hash = '{view}'")


async def test_orchestrations_are_searched_and_paged_newest_first(running: Any) -> None:
    async with running("--diamonds", "10") as app, browser_page() as page:
        app.wait(app.start("full"))
        await opened(app, page, "operations")
        await page.locator("tr[id^=instance-]").first.wait_for()
        times = page.locator("tr[id^=instance-] time")
        shown = [present(await times.nth(n).get_attribute("datetime")) for n in range(await times.count())]
        assert shown == sorted(shown, reverse=True)
        await page.fill("#find-prefix", "nothing-begins-so")
        await page.keyboard.press("Enter")
        await page.get_by_text("None fits.").wait_for()
        await page.fill("#find-prefix", "diamonds-nivoda")
        await page.keyboard.press("Enter")
        await page.locator("#instance-diamonds-nivoda").wait_for()
        await page.select_option("#find-status", "Failed")
        await page.get_by_text("None fits.").wait_for()


async def test_one_failed_stone_is_seen_with_its_payload_and_tried_again(running: Any) -> None:
    async with running("--diamonds", "1000", "--fault", "unmappable:0.02") as app, browser_page(width=390) as page:
        failed = app.wait(app.start("full"))["run"]["failed"]
        assert failed > 10
        await opened(app, page, "diamonds")
        await page.locator("#failed-nivoda-forth").wait_for()
        before = await page.locator("#failed-nivoda tbody tr").first.get_attribute("id")
        await page.click("#failed-nivoda-forth")
        await page.get_by_text("page 2").wait_for()
        first = page.locator("#failed-nivoda tbody tr").first
        assert await first.get_attribute("id") != before
        await page.screenshot(path=SCREENSHOTS / "diamonds-phone.png", full_page=True)
        await first.locator("a").click()
        await page.locator("#payload").get_by_text("certificate").wait_for()
        await page.get_by_text("carats: missing").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.screenshot(path=SCREENSHOTS / "stone-failed.png", full_page=True)
        stone = page.url.rpartition("/")[2]
        app.rows(
            "update diamonds.raw_diamonds set payload = jsonb_set(jsonb_set(payload, '{diamond,certificate,shape}',"
            f" '\"ROUND\"'), '{{diamond,certificate,carats}}', '0.5') where supplier_stone_id = '{stone}' returning id"
        )
        await page.click("#stone-again")
        await page.get_by_text("1 wait again; they are being consolidated.").wait_for()
        await page.get_by_role("heading", name="available").wait_for(timeout=20_000)
        assert app.rows("select count(*) from diamonds.diamonds") == [(1000 - failed + 1,)]


async def test_a_stone_is_found_and_shown(running: Any) -> None:
    async with running("--diamonds", "300") as app, browser_page() as page:
        app.wait(app.start("full"))
        [[stone, shape]] = app.rows("select supplier_stone_id, shape from diamonds.diamonds order by id limit 1")
        await opened(app, page, "stones")
        await page.fill("#stone-shape", shape.lower())
        await page.keyboard.press("Enter")
        [[fitting]] = app.rows(f"select count(*) from diamonds.diamonds where shape = '{shape}'")
        await page.get_by_role("heading", name=f"On offer: {fitting}", exact=True).wait_for()
        await page.fill("#by-stone", stone)
        await page.keyboard.press("Enter")
        await page.locator("#payload").get_by_text(stone).first.wait_for()
        await page.locator(".facts").get_by_text(shape).first.wait_for()
        await page.screenshot(path=SCREENSHOTS / "stones.png", full_page=True)
        await page.click("#close-stone")
        await page.locator("#payload").wait_for(state="detached")


async def test_a_key_sees_the_pages_that_it_may_use(running: Any) -> None:
    async with running("--diamonds", "100") as app, browser_page(expects="status of 40") as page:
        app.wait(app.start("full"))
        tabs = page.locator("#tabs a")
        shown = {
            "diamonds:read": ["Stones"],
            "diamonds:run": ["Diamonds", "Trades"],
            "diamonds:pricing": ["Pricing"],
            "deploys:read": ["Deployments"],
            "a:b": [],
        }
        keys = {one: app.grant(one.replace(":", "-"), one, "--organization", "acme") for one in shown}
        await page.goto(f"{app.host.url}/console#operations")
        for permission, wanted in shown.items():
            await page.fill("#key", keys[permission])
            await page.keyboard.press("Enter")
            await page.locator("#leave").get_by_text(permission.replace(":", "-")).wait_for()
            await page.locator("main > section").first.wait_for()
            # Agents sign in at the follow-ups with a password of their own, whatever key sits here.
            assert [one for one in await tabs.all_inner_texts() if one != "Follow-ups"] == wanted
            assert await page.locator("#message").is_hidden()
            if wanted == ["Stones"]:
                await page.locator("tr[id^=diamond-]").first.click()
                await page.locator(".facts").wait_for()
            if wanted == ["Deployments"]:  # of its own organization, and it may not deploy
                await page.get_by_role("heading", name="Deployments of acme").wait_for()
                assert await page.locator("#organization").count() == await page.locator("#deploy").count() == 0
            await page.click("#leave")
            assert await page.evaluate("sessionStorage.length") == 0


async def test_no_page_stands_under_the_name_of_another(running: Any) -> None:
    async with running("--diamonds", "300") as app, browser_page(expects="Failed to load resource") as page:
        await opened(app, page, "diamonds")
        await page.get_by_text("No run yet").wait_for()
        go = asyncio.Event()

        async def hold(route: Any) -> None:
            await go.wait()
            await route.continue_()

        await page.route("**/api/v2/diamonds?*", hold)
        await page.get_by_role("link", name="Stones").click()
        await page.get_by_text("This page is being read.").wait_for()
        assert await page.get_by_role("button", name="Run everything").count() == 0
        go.set()
        await page.get_by_role("heading", name="On offer").wait_for()
        await page.route("**/api/v2/pricing-rules*", lambda route: route.fulfill(status=503, body="{}"))
        await page.get_by_role("link", name="Pricing").click()
        await page.get_by_text("This page could not be read.").wait_for()
        assert await page.get_by_role("heading", name="On offer").count() == 0
