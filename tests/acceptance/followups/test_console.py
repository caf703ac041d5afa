"""The follow-ups as agents and operators see them, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from local.browser import browser_page
from tests.acceptance.followups.conftest import KEY

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots"
PASSWORD = "a long password"
AGENT = {
    "email": "alice@example.com", "password": PASSWORD, "name": "Alice Agent", "company": "Acme",
    "postal_address": "1 Main Street", "opens": "00:00", "closes": "23:59:59", "working_days": [1, 2, 3, 4, 5, 6, 7],
}  # fmt: skip
STEP = "update followups.tasks set scheduled_for = now() + %s * interval '1 minute' where followup_type = %s"


def written(app: Any) -> None:
    """An agent with three clients, whose first mails wait for it, and whose second steps are due soon."""
    app.token = app.ask("POST", "/api/agents/register", AGENT, admin=True)["access_token"]
    for name in ("Ann", "Bob", "Cy"):
        client = {
            "email": f"{name.lower()}@example.com",
            "name": f"{name} <b>Client</b>",
            "property_address": "12 Elm Street",
            "create_tasks": True,
        }
        app.ask("POST", "/api/clients", client)
    app.execute(STEP, 0, "Day 1")
    app.execute(STEP, 24 * 60, "Day 3")
    app.minute()
    app.until(lambda: len(app.ask("GET", "/api/emails?state=held")) == 3)


async def sign_in(page: Page, app: Any) -> None:
    await page.goto(f"{app.host.url}/console#followups")
    await page.fill("#agent-email", "alice@example.com")
    await page.fill("#agent-password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Follow-ups of Alice Agent").wait_for()


async def answers_by_hand(app: Any, page: Any) -> None:
    """A client's answer is the agent's own task, which is done when the agent says so."""
    await page.click("#list-todo")
    [answer] = app.ask("GET", "/api/tasks?channel=agent&status=pending")
    await page.get_by_text("Answer: Re").wait_for()
    await page.screenshot(path=SCREENSHOTS / "followups-todo.png", full_page=True)
    await page.click(f"#done-{answer['id']}")
    await page.get_by_text("Nothing waits to be done by you.").wait_for()
    assert app.ask("GET", f"/api/tasks/{answer['id']}")["status"] == "completed"


async def test_an_agent_reads_changes_and_approves_a_mail_by_keyboard(running: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    async with running() as app, browser_page(expects="401") as page:
        written(app)
        await page.goto(f"{app.host.url}/console#followups")
        await page.fill("#agent-email", "alice@example.com")
        await page.fill("#agent-password", "a wrong password")
        await page.keyboard.press("Enter")
        await page.get_by_text("The address or the password is wrong.").wait_for()
        await sign_in(page, app)
        await page.get_by_role("heading", name="Due today").wait_for()
        await expect(page.locator("#followup-list tbody tr")).to_have_count(3)
        await page.screenshot(path=SCREENSHOTS / "followups.png", full_page=True)
        await page.click("#list-tomorrow")
        await expect(page.locator("#followup-list tbody tr").first).to_contain_text("Day 3")

        await page.focus("#list-held")
        await page.keyboard.press("Enter")
        await page.locator("#followup-list").get_by_text("approval").first.wait_for()
        [mail, *_] = [one for one in app.ask("GET", "/api/emails?state=held") if one["to"] == "ann@example.com"]
        await page.focus(f"#held-{mail['id']}")
        await page.keyboard.press("Enter")
        body = f"#mail-body-{mail['id']}"
        assert "1 Main Street" in await page.locator(f"#mail-{mail['id']}").inner_text()
        await page.fill(body, "")
        await page.fill(body, "Hello Ann,\n\nShall we call?\n\nI have <b>time</b>.\n\nSimply answer.")
        await page.wait_for_timeout(4_500)  # two refreshes
        assert "Shall we call?" in await page.input_value(body)
        await page.screenshot(path=SCREENSHOTS / "followups-mail.png", full_page=True)
        await page.click("#mail-test")
        await page.get_by_text("It was sent to your own address.").wait_for()
        [test] = app.mails()
        assert (test["recipients"], "Shall we call?" in test["text"]) == (["alice@example.com"], True)
        await page.focus("#mail-approve")
        await page.keyboard.press("Enter")
        await page.locator(f"#held-{mail['id']}").wait_for(state="detached")
        app.minute()
        app.until(lambda: len(app.mails()) == 2)
        sent = app.mails()[1]
        assert (sent["recipients"], "I have <b>time</b>." in sent["text"]) == (["ann@example.com"], True)

        head = f"From: ann@example.com\r\nSubject: Re\r\nIn-Reply-To: {sent['headers']['Message-ID']}"
        taken = app.host.request(
            "POST", "/webhooks/mail", f"{head}\r\n\r\nYes <i>please</i>".encode(),
            headers={"X-Admin-Key": KEY, "Content-Type": "message/rfc822"},
        )  # fmt: skip
        assert taken.json() == {"result": "taken"}
        await page.click("#list-sent")
        await page.locator(f"#sent-{mail['id']}").click()
        await page.get_by_text("Shall we call?").wait_for()
        await page.click("#list-replies")
        await page.get_by_role("heading", name="Replies").wait_for()
        await page.locator("#followup-list tbody tr").first.click()
        await page.get_by_text("Yes <i>please</i>").wait_for()
        await page.screenshot(path=SCREENSHOTS / "followups-reply.png", full_page=True)
        await answers_by_hand(app, page)


async def test_an_operator_says_what_became_of_a_mail_and_stops_all(running: Any) -> None:
    async with running() as app, browser_page() as page:
        written(app)
        app.ask("PATCH", "/api/agents/me", {"send_mode": "automatic"})
        for mail in app.ask("GET", "/api/emails?state=held"):
            app.ask("POST", f"/api/emails/{mail['id']}/approve")
        app.minute()
        app.until(lambda: len(app.ask("GET", "/api/emails?state=sent")) == 3)
        app.execute("update followups.emails set state = 'unknown', error_code = 'answer-lost', error = 'It was lost.'")
        app.execute("update followups.tasks set status = 'pending' where followup_type = 'Day 1'")
        app.execute("update followups.clients set last_contacted = null")
        first, second, _ = sorted(one["id"] for one in app.ask("GET", "/api/emails?state=unknown"))
        await page.goto(f"{app.host.url}/console#followups")
        await page.fill("#key", KEY)
        await page.keyboard.press("Enter")
        await page.locator(f"#was-{first}").click()
        await page.locator(f"#was-{first}").wait_for(state="detached")
        await page.locator(f"#was-not-{second}").click()
        await page.locator(f"#was-not-{second}").wait_for(state="detached")
        assert app.ask("GET", f"/api/emails/{first}")["state"] == "sent"
        again = app.ask("GET", f"/api/emails/{second}")
        app.minute()
        app.until(lambda: app.ask("GET", f"/api/emails/{second}")["state"] == "sent")
        assert [mail["recipients"][0] for mail in app.mails()].count(again["to"]) == 2
        page.on("dialog", lambda dialog: dialog.accept("the provider asked"))
        await page.click("#stop-all")
        await page.get_by_role("heading", name="All agents stopped").wait_for()
        await page.screenshot(path=SCREENSHOTS / "followups-operator.png", full_page=True)
        await page.click("#go-on")
        await page.locator("#stop-all").wait_for()


async def test_an_agent_writes_again_to_a_client_who_agreed(running: Any) -> None:
    async with running() as app, browser_page() as page:
        written(app)
        [mail, *_] = app.ask("GET", "/api/emails?state=held")
        app.execute("update followups.clients set email_unsubscribed = true where id = %s", mail["client_id"])
        await sign_in(page, app)
        await page.click("#list-held")
        await page.locator(f"#held-{mail['id']}").click()
        page.once("dialog", lambda dialog: dialog.accept("She called."))
        await page.click("#allow-again")
        await page.locator("#allow-again").wait_for(state="detached")
        assert not app.ask("GET", f"/api/clients/{mail['client_id']}")["email_unsubscribed"]
        assert app.execute("select reason from followups.allowed_again") == [("She called.",)]


async def test_a_held_mail_is_read_on_a_phone_in_the_dark(running: Any) -> None:
    async with running() as app, browser_page(width=390, height=800, dark=True) as page:
        written(app)
        await sign_in(page, app)
        await page.click("#list-held")
        await page.get_by_role("heading", name="Held").wait_for()
        await page.locator("#followup-list tbody tr").first.click()
        await page.locator("#mail-approve").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.screenshot(path=SCREENSHOTS / "followups-phone.png", full_page=True)
        await page.click("#agent-leave")
        await page.get_by_role("heading", name="Sign in as an agent").wait_for()


async def test_an_agent_changes_its_cadence_and_sees_what_was_not_sent_and_why(running: Any) -> None:
    async with running() as app, browser_page() as page:
        written(app)
        [task, *_] = [one for one in app.ask("GET", "/api/tasks") if one["followup_type"] == "Month 1"]
        app.ask("PATCH", f"/api/tasks/{task['id']}", {"status": "skipped"})
        await sign_in(page, app)
        await page.click("#list-unsent")
        await page.get_by_role("heading", name="Not sent").wait_for()
        [row] = await page.locator("#followup-list tbody tr").all_inner_texts()
        assert ("Month 1" in row, "by-the-agent" in row, "skipped" in row) == (True, True, True)
        await page.screenshot(path=SCREENSHOTS / "followups-not-sent.png", full_page=True)

        await page.click("#list-cadence")
        await expect(page.locator("#cadence tbody tr")).to_have_count(5)
        await page.fill("#step-name-4", "Spring letter")
        await page.fill("#step-days-4", "120")
        await page.wait_for_timeout(4_500)  # two refreshes
        assert await page.input_value("#step-name-4") == "Spring letter"
        await page.click("#step-drop-3")
        await page.click("#step-add")
        await page.fill("#step-name-4", "Birthday")
        await page.screenshot(path=SCREENSHOTS / "followups-cadence.png", full_page=True)
        await page.focus("#cadence-save")
        await page.keyboard.press("Enter")
        await page.get_by_text("New clients get these steps").wait_for()
        found = app.ask("GET", "/api/cadence")
        assert [(step["followup_type"], step["days"]) for step in found["steps"]] == [
            ("Day 1", 1), ("Day 3", 3), ("Week 1", 7), ("Spring letter", 120), ("Birthday", 150)
        ]  # fmt: skip
        await page.click("#cadence-give-up")
        await page.locator("#cadence-give-up").wait_for(state="detached")
        assert not app.ask("GET", "/api/cadence")["own"]
