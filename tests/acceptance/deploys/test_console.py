"""The deployments of an organization as an operator sees them, in a real browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.async_api import expect

from local.browser import browser_page
from tests.acceptance.deploys.conftest import archive
from tests.present import present

COLOURED = """
import os, time
from http.server import BaseHTTPRequestHandler, HTTPServer

print(f"\\x1b[32m{os.environ['GREETING']}\\x1b[0m <b>no markup</b>", flush=True)

class App(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""
SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"
HEALTH = "503"  # there is no database here, which the console's look at the app's health says


async def test_an_operator_watches_cancels_and_retries_a_deployment_by_keyboard(running) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running() as app:
        async with browser_page(expects=HEALTH) as page:
            first = app.deploy("shop", "one")
            app.wait(first)
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
            await expect(page.locator(f"#row-{broken} + .below .error")).to_contain_text("ended with code")
            assert await page.locator("#deployments table").evaluate(
                "one => one.scrollWidth <= one.parentElement.clientWidth"
            )
            assert await page.locator(f"#row-{broken} td").count() == 3
            await page.screenshot(path=SCREENSHOTS / "deployment-failed.png", full_page=True)
            await expect(page.locator(f"#row-{broken}")).to_be_focused()
            before = page.url
            await page.focus("#retry-deployment")
            await page.keyboard.press("Enter")
            await page.wait_for_url(lambda url: url != before)
            await page.get_by_role("heading", name="failed").wait_for(timeout=30_000)

            await page.focus(f"#row-{first}")
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name=f"{first} completed").wait_for()
            page.on("dialog", lambda dialog: dialog.accept())
            await page.focus("#rollback-deployment")
            await page.keyboard.press("Enter")
            await page.wait_for_url(lambda url: not url.endswith(first))
            await page.get_by_role("heading", name="completed").wait_for(timeout=30_000)


async def variables_are_kept_and_the_project_removed(page, app) -> None:
    """Of the project bakery; the dialog asks for its name, and another one is no answer."""
    await page.click(f"#project-{app.organization}-bakery")
    await page.click("#variables > summary")
    for name, value in (("TOKEN", "secret"), ("LOG_LEVEL", "info")):
        await page.fill("#variable-name", name)
        await page.fill("#variable-value", value)
        await page.set_checked("#variable-plain", name == "LOG_LEVEL")
        await page.click("#variable-set")
        await page.locator(f"#variable-{name}").wait_for()
    await expect(page.locator("#variable-TOKEN")).to_contain_text("***")
    await expect(page.locator("#variable-LOG_LEVEL")).to_contain_text("info")
    await page.screenshot(path=SCREENSHOTS / "project-variables.png", full_page=True)
    await page.click("#delete-variable-TOKEN")
    await expect(page.locator("#variable-TOKEN")).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept("another name"))
    await page.click("#delete-project")
    page.once("dialog", lambda dialog: dialog.accept("bakery"))
    await page.click("#delete-project")
    await expect(page.locator(f"#project-{app.organization}-bakery")).to_have_count(0, timeout=30_000)
    await expect(page.locator("[id^=row-]")).to_have_count(1)


async def test_an_archive_and_a_repository_are_deployed_from_the_form(running, tmp_path) -> None:
    source = tmp_path / "shop.zip"
    source.write_bytes(archive({"app.py": COLOURED}))
    with running() as app:
        async with browser_page(expects="status of") as page:
            app.wait(app.deploy("bakery", "one"))
            await page.goto(f"{app.host.url}/console#deployments/{app.organization}")
            await page.fill("#key", "acceptance")
            await page.keyboard.press("Enter")
            await page.locator(f"#project-{app.organization}-bakery").wait_for()
            await page.click("#deploy > summary")
            await page.fill("#deploy-projectId", "shop")
            await page.set_input_files("#deploy-archive", source)
            await page.fill("#deploy-startCommand", "python app.py")
            await page.fill("#deploy-envVariables", "# of the shop\nGREETING='hello there'\nEMPTY=\n")
            await page.fill("#deploy-plainVariables", "GREETING")
            await page.wait_for_timeout(4_500)  # two refreshes
            assert await page.input_value("#deploy-projectId") == "shop"
            assert await page.locator("#deploy-archive").evaluate("one => one.files.length") == 1
            await page.screenshot(path=SCREENSHOTS / "deploy-form.png", full_page=True)
            await page.click("#deploy-start")
            await page.wait_for_url(f"**/console#deployments/{app.organization}/dep_*")
            await page.get_by_role("heading", name=page.url.rpartition("/")[2]).wait_for()
            await page.get_by_role("heading", name="completed").wait_for(timeout=60_000)
            [mine] = app.ask("GET", f"/deploy/project/shop?organizationId={app.organization}")["data"]
            assert mine["projectName"] == "shop"
            await page.click("#show-app-log")
            ready = page.locator("#app-log .fg-2")
            await ready.get_by_text("hello there").wait_for()
            assert "\x1b" not in await page.locator("#app-log").inner_text()
            assert await page.locator("#app-log b").count() == 0
            await page.screenshot(path=SCREENSHOTS / "app-log.png", full_page=True)

            await page.click(f"#project-{app.organization}-bakery")
            await page.get_by_role("heading", name="Deployments of bakery").wait_for()
            await expect(page.locator("[id^=row-]")).to_have_count(1)
            await page.click("#all-projects")
            await expect(page.locator("[id^=row-]")).to_have_count(2)

            await variables_are_kept_and_the_project_removed(page, app)

            await page.click("#deploy > summary")
            await page.fill("#deploy-projectId", "shop")
            await page.fill("#deploy-gitUrl", "https://not-allowed.example.com/a/b")
            await page.fill("#deploy-gitToken", "canary-token")
            await page.fill("#deploy-gitUser", "x-token-auth")
            async with page.expect_request(lambda sent: sent.url.endswith("/deploy")) as sending:
                await page.click("#deploy-start")
            sent = present((await sending.value).post_data_json)
            assert (sent["gitToken"], sent["gitUser"]) == ("canary-token", "x-token-auth")
            await page.click("#show-build-log")
            await page.locator("#deployment-log").get_by_text("not-allowed.example.com").first.wait_for()
            await page.screenshot(path=SCREENSHOTS / "deploy-url.png", full_page=True)


async def test_a_failed_deployment_is_read_on_a_phone_in_the_dark(running) -> None:
    with running() as app:
        async with browser_page(width=390, height=800, dark=True, expects=HEALTH) as page:
            app.wait(app.deploy("shop", "one"))
            broken = app.deploy("shop", None)
            app.wait(broken)
            await page.goto(f"{app.host.url}/console#deployments/{app.organization}/{broken}")
            await page.fill("#key", "acceptance")
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name=f"{broken} failed").wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
            await page.screenshot(path=SCREENSHOTS / "deployments-phone.png", full_page=True)


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


CHECKED = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class App(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""


async def test_organizations_projects_and_the_health_that_a_deployment_asks_for(running, tmp_path) -> None:
    source = tmp_path / "clinic.zip"
    source.write_bytes(archive({"app.py": CHECKED, ".python-version": "3.9\n"}))
    with running() as app:
        first = app.organization
        app.wait(app.deploy("bakery", "one"))
        app.organization = f"{first}-2"
        app.wait(app.deploy("harbour", "two"))
        async with browser_page(expects=HEALTH) as page:
            await page.goto(f"{app.host.url}/console#deployments/{first}")
            await page.fill("#key", "acceptance")
            await page.keyboard.press("Enter")
            await page.locator(f"#project-{first}-bakery").wait_for()
            await expect(page.locator("#project-list tr[id]")).to_have_count(1)
            await page.fill("#organization", f"{first}-2")
            await page.keyboard.press("Enter")
            await page.locator(f"#project-{first}-2-harbour").wait_for()
            await expect(page.locator("#project-list tr[id]")).to_have_count(1)
            await page.click("#all-organizations")
            for organization, project in ((first, "bakery"), (f"{first}-2", "harbour")):
                await expect(page.locator(f"#organizations option[value='{organization}']")).to_have_count(1)
                await page.locator(f"#project-{organization}-{project}").wait_for()
            await page.click(f"#project-{first}-2-harbour")
            await page.get_by_role("heading", name="Deployments of harbour").wait_for()
            await page.wait_for_url(f"**/console#deployments/{first}-2")
            await expect(page.locator("[id^=row-]")).to_have_count(1)

            async def deploy(path: str) -> None:
                before = page.url
                await page.click("#deploy > summary")
                await page.fill("#deploy-projectId", "clinic")
                await page.set_input_files("#deploy-archive", source)
                await page.fill("#deploy-healthPath", path)
                await page.fill("#deploy-healthSeconds", "10")
                await page.click("#deploy-start")
                await page.wait_for_url(lambda url: url != before)

            await deploy("/nothing-here")
            await page.get_by_role("heading", name="failed").wait_for(timeout=90_000)
            await page.locator("#deployment").get_by_text("/nothing-here answered 404", exact=False).first.wait_for()
            await deploy("/healthz")
            await page.get_by_role("heading", name="completed").wait_for(timeout=90_000)
            health = page.locator("#app-health")
            await expect(health).to_contain_text("The app is healthy")
            await expect(page.locator("#deployment-runtime")).to_contain_text("The source asks for Python 3.9")
            await page.screenshot(path=SCREENSHOTS / "deployment-health.png", full_page=True)
            with suppress(OSError):  # it ends without an answer, and the platform says so
                app.open(f"{app.state(page.url.rpartition('/')[2])['containerAppUrl']}/crash")
            await expect(health).to_contain_text("not healthy", timeout=30_000)
            await expect(health).to_contain_text("restarted 1 times", timeout=30_000)
