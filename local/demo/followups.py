"""The act of the follow-ups: a month of 1,000 mails in a minute, over two hosts, with what goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from email.message import EmailMessage
from typing import Any

import httpx
from rich.console import Console

from local.demo.client import App, DemoFailed
from local.demo.followups_books import Books, check, reasons_table, steps_table
from local.demo.second_host import second_host
from local.up import Stack
from local.up.supervised import Supervised

SETTINGS = {"FOLLOWUPS_MAILS_PER_MINUTE": "0", "FOLLOWUPS_MINIMUM_GAP_HOURS": "24"}
CLIENTS = 200
LOSES_EVERY = 100
EVENTFUL = "Day 3"
"""The step in which a host is killed, a client answers and another unsubscribes."""
STEP_SECONDS = 120
LEASE_MINUTES = 16
"""A little more than a claim lasts."""


async def run(stack: Stack, app: App, console: Console) -> None:
    """Send the five steps to all clients.

    Raises:
        DemoFailed: a mail is in the sink twice, or one is missing whose end nobody knows.
    """
    began = time.monotonic()
    run_id = secrets.token_hex(4)
    domain = f"{run_id}.example.com"
    console.print(f"\nFollow-ups: an agent, {CLIENTS} clients with the steps of its cadence, two hosts.")
    token, agent = await _register(app, domain)
    books = Books(stack.settings["POSTGRES_DSN"], agent, stack.options.folder / "mail", domain)
    sink = f"http://127.0.0.1:{stack.options.ports.mail}"
    async with second_host(stack) as (second, other), httpx.AsyncClient(base_url=sink, timeout=30) as mail:
        try:
            (await mail.put("/lost-answers", json={"every": LOSES_EVERY})).raise_for_status()
            console.print(f"The sink keeps each {LOSES_EVERY}th mail and never answers.")
            await _month(Hosts((app, other), token), second, books, console)
        finally:
            await mail.put("/lost-answers", json={"every": 0})
    await _ask_a_person(app, books, console)
    mails, delivered = await books.mails(), books.delivered()
    console.print(steps_table(mails, delivered))
    console.print(reasons_table(mails))
    check(mails, delivered)
    sent = sum(one["state"] == "sent" for one in mails)
    console.print(
        f"[green]Each of the {sent:,} mails that were sent is in the sink once;[/green]"
        f" {len(mails) - sent} were held back. It took {time.monotonic() - began:.0f} s."
    )


class Hosts:
    """Both hosts, as an agent who is signed in uses them."""

    def __init__(self, apps: tuple[App, ...], token: str) -> None:
        self.apps = apps
        self._token = token

    async def sweep(self) -> list[tuple[App, str]]:
        """Let each host send what is due; which orchestrations do it."""
        return [(app, (await app.as_agent(self._token, "/api/tasks/process-due", {}))["id"]) for app in self.apps]


async def _month(hosts: Hosts, second: Supervised, books: Books, console: Console) -> None:
    steps = list(dict.fromkeys(mail["step"] for mail in await books.mails()))
    for step in steps:
        passed = await books.move_to_next()
        console.print(f"{passed} pass, and {step} is due.")
        before = books.delivered().total()
        sweeps = await hosts.sweep()
        if step == EVENTFUL:
            await _kill(second, books, before + CLIENTS // 4)
            console.print(
                f"[yellow]The second host was killed with -9 after {books.delivered().total() - before} mails of this"
                " step;[/yellow] it is started again."
            )
        await _settled(hosts, sweeps, books)
        if step == EVENTFUL:
            await _answer(hosts.apps[0], books, f"client-7@{books.domain}")
            await _unsubscribe(hosts.apps[0], books, f"client-8@{books.domain}")
            console.print("One client answers, another unsubscribes.")
    await books.move(LEASE_MINUTES)  # who died while handing over is known to be dead
    await _settled(hosts, await hosts.sweep(), books)


async def _register(app: App, domain: str) -> tuple[str, int]:
    profile = {"working_days": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "23:59:59", "send_mode": "automatic"}
    profile |= {"company": "Acme", "postal_address": "1 Main Street, Springfield", "daily_cap": 2 * CLIENTS}
    named = {"email": f"alice@{domain}", "name": "Alice Agent", "password": secrets.token_urlsafe(12)}
    session = await app.ask("/api/agents/register", profile | named)
    rows = [
        f"client-{n}@{domain},Client {n},{n} Elm Street,{'closed' if n == CLIENTS else 'lead'}"
        for n in range(1, CLIENTS + 1)
    ]
    csv = "email,name,property_address,stage\n" + "\n".join(rows)
    report = await app.as_agent(session["access_token"], "/api/clients/import", {"csv": csv})
    if report["created"] != CLIENTS:
        raise DemoFailed(f"Of {CLIENTS} clients {report['created']} were entered: {report}")
    return session["access_token"], session["agent"]["id"]


async def _kill(host: Supervised, books: Books, after: int) -> None:
    """Kill it as soon as the sink has so many mails."""
    deadline = time.monotonic() + STEP_SECONDS
    while books.delivered().total() < after:
        if time.monotonic() > deadline:
            raise DemoFailed(f"The sink did not get {after} mails within {STEP_SECONDS} s.")
        await asyncio.sleep(0.02)
    assert host.pid is not None, "it runs until it is killed"
    os.killpg(host.pid, signal.SIGKILL)


async def _settled(hosts: Hosts, sweeps: list[tuple[App, str]], books: Books) -> None:
    """Wait until nothing is due; where a sweep has left something, its lease ends and the next one takes it."""
    deadline = time.monotonic() + STEP_SECONDS
    while time.monotonic() < deadline:
        if all([await _ended(*sweep) for sweep in sweeps]):
            if not await books.open():
                return
            await books.move(LEASE_MINUTES)
            sweeps = await hosts.sweep()
        await asyncio.sleep(0.2)
    raise DemoFailed(f"After {STEP_SECONDS} s {await books.open()} mails are still due.")


async def _ended(app: App, sweep: str) -> bool:
    try:
        found = await app.ask(f"/ops/runs/{sweep}")
    except httpx.TransportError:  # it was killed, and starts again
        return False
    if found["status"] == "Failed":
        raise DemoFailed(f"A sweep failed: {found['error']}")
    return found["status"] not in ("Running", "Pending")


async def _answer(app: App, books: Books, client: str) -> None:
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = client, f"alice@{books.domain}", "Re: your mail"
    reply["In-Reply-To"] = books.headers(client, "Message-ID")[-1]
    reply["Message-ID"] = f"<{secrets.token_hex(8)}@{books.domain}>"
    reply.set_content("Yes, please call me.")
    taken = await app.deliver(f"/webhooks/mail?sender={client}", reply.as_bytes(), "message/rfc822")
    if taken["result"] != "taken":
        raise DemoFailed(f"The answer of {client} was {taken['result']}.")


async def _unsubscribe(app: App, books: Books, client: str) -> None:
    link = books.headers(client, "List-Unsubscribe")[-1].strip("<>")
    await app.click(httpx.URL(link).path)


async def _ask_a_person(app: App, books: Books, console: Console) -> None:
    """Tell the app of each mail that nobody knows about what the sink's folder shows, as an operator would."""
    delivered = books.delivered()
    unknown: list[dict[str, Any]] = [mail for mail in await books.mails() if mail["state"] == "unknown"]
    for mail in unknown:
        await app.ask(f"/api/emails/{mail['email']}/resolve", {"handed_over": bool(delivered[mail["key"]])})
    there = sum(bool(delivered[mail["key"]]) for mail in unknown)
    causes = ", ".join(sorted({str(mail["error_code"]) for mail in unknown}))
    console.print(
        f"Of {len(unknown)} mails nobody knew whether they were handed over ({causes}); none was sent again. A person"
        f" looks for their Message-IDs and says what is there: the sink has {there} of them."
    )
