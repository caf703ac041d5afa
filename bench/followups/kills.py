"""Due mails on five hosts that are killed with -9, with answers that get lost: the app beside two peers.

The same sink, database, number of mails and schedule of kills for everybody. What nobody publishes of such a system:
how many mails it hands over twice, and how many never.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.followups import trial
from bench.followups.ours import Ours
from bench.followups.peers import Peer, Where
from bench.followups.sink import CountingSink, listening
from bench.followups.trial import Figures, System
from bench.peers import peer_python
from bench.report import comparison, console
from local.up import Options, Ports, stack

LOSES_EVERY = 100


def main(*, quick: bool) -> None:
    asyncio.run(_measure(*((1_000, 20) if quick else (10_000, 100))))


async def _measure(mails: int, kills: int) -> None:
    python = await asyncio.to_thread(peer_python)
    ports = Ports.free()
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        without = frozenset({"host", "supplier", "apps", "smtp", "servicebus"})
        settings = {
            "FOLLOWUPS_PUBLIC_URL": "http://127.0.0.1:7071",
            "SMTP_PORT": str(ports.smtp),
            "SMTP_HOST": "127.0.0.1",
        }
        sink = CountingSink(folder / "mail", LOSES_EVERY)
        options = Options(ports=ports, folder=folder, without=without, overrides=settings)
        async with stack(options) as services, listening(sink, ports.smtp):
            where = Where(python, services.settings["POSTGRES_DSN"], ports.smtp, folder)
            systems: list[System] = [
                Ours(folder, services.settings),
                Peer("APScheduler, the seed's loop with care", "apscheduler_peer.py", ["with-care"], where),
                Peer("APScheduler, the seed's loop as it stands", "apscheduler_peer.py", ["as-it-stands"], where),
                Peer("procrastinate", "procrastinate_peer.py", [], where),
            ]
            planned = trial.schedule(mails, kills)
            figures: list[Figures] = []
            for system in systems:
                began = time.monotonic()
                figures.append(await asyncio.to_thread(trial.run, system, sink, mails, planned))
                console.print(f"{figures[-1]}: at rest after {time.monotonic() - began:,.0f} s")
    _report(mails, kills, figures)
    ours = figures[0]
    if ours.twice or ours.lost:
        raise SystemExit(f"The app handed {ours.twice} mails over twice and lost {ours.lost}: both must be 0.")


def _report(mails: int, kills: int, figures: list[Figures]) -> None:
    table = comparison(
        f"{mails:,} due mails, {trial.HOSTS} hosts, {kills} times kill -9, 1 % of the answers lost",
        ("", "handed over", "twice", "lost", "unresolved", "kills", "median, s", "p99, s"),
    )
    for one in figures:
        counts = (one.handed_over, one.twice, one.lost, one.unresolved, one.kills)
        table.add_row(one.title, *(f"{count:,}" for count in counts), f"{one.median:,.0f}", f"{one.p99:,.0f}")
    console.print(table)
    console.print(
        "Counted at the sink. Lost: never handed over, though its books take it for done. Unresolved: its books do not"
        " show it as sent when all is at rest. Of ours each is `unknown` and in the operator's list, else this run had"
        " failed: a relay of SMTP cannot be asked (the events of SES and the keys of Resend settle them). Seconds: from"
        " when a mail was due, a full minute, to its first hand-over. A kill hits its host when the sink has so many"
        " mails, and the host is started again at once."
    )
