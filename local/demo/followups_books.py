"""What the mail sink and the database say about the act's mails: the two are compared, mail by mail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.table import Table

from local.demo.client import DemoFailed

_MAILS = """
select t.id as task, t.followup_type as step, t.status, t.reason, e.id as email, e.state, e.error_code,
    e.message_key::text as key
from followups.tasks t left join followups.emails e on e.task_id = t.id
where t.agent_id = %s and t.channel = 'email' order by t.planned_for, t.id
"""
_ON = """
update followups.tasks set scheduled_for = scheduled_for - %(by)s, planned_for = planned_for - %(by)s
where agent_id = %(agent)s;
update followups.emails set leased_until = leased_until - %(by)s, sending_at = sending_at - %(by)s,
    first_sending_at = first_sending_at - %(by)s, sent_at = sent_at - %(by)s,
    composed_at = composed_at - %(by)s where agent_id = %(agent)s;
update followups.clients set last_contacted = last_contacted - %(by)s, created_at = created_at - %(by)s
where agent_id = %(agent)s
"""


@dataclass(frozen=True)
class Books:
    """The mails of one agent.

    Attributes:
        agent: the agent's number.
        folder: where the sink keeps its mails.
        domain: of all its clients' addresses, and of nobody else's.
    """

    dsn: str
    agent: int
    folder: Path
    domain: str

    def delivered(self) -> Counter[str]:
        """How many times the sink has each mail, by the left part of its Message-ID."""
        found: Counter[str] = Counter()
        for path in self.folder.glob("*.eml"):
            head = BytesHeaderParser().parsebytes(path.read_bytes())
            if str(head["X-Envelope-To"]).endswith(self.domain):
                found[str(head["Message-ID"]).strip("<> \r\n").partition("@")[0]] += 1
        return found

    def headers(self, to: str, name: str) -> list[str]:
        """A header of each mail that the sink has for an address, in the order of arrival."""
        heads = [BytesHeaderParser().parsebytes(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]
        return [str(head[name]).strip() for head in heads if head["X-Envelope-To"] == to]

    async def mails(self) -> list[dict[str, Any]]:
        """Each step of each client, with its mail where there is one."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            found = await connection.cursor(row_factory=dict_row).execute(_MAILS, (self.agent,))
            return await found.fetchall()

    async def move_to_next(self) -> str:
        """Let so much time pass that the agent's next step is due; how much, in words."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            found = await connection.execute(
                "select max(scheduled_for) - now() from followups.tasks where agent_id = %(agent)s"
                " and status = 'pending' and channel = 'email' and followup_type = (select followup_type"
                " from followups.tasks where agent_id = %(agent)s and status = 'pending' and scheduled_for > now()"
                " order by scheduled_for limit 1)",
                {"agent": self.agent},
            )
            row = await found.fetchone()
            if row is None or row[0] is None:
                raise DemoFailed("No step is planned any more.")
            await self._move(connection, row[0])
            return f"{row[0].total_seconds() / 86_400:.1f} days"

    async def move(self, minutes: int) -> None:
        """Let so many minutes pass, for leases to end."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            await self._move(connection, timedelta(minutes=minutes))

    async def _move(self, connection: psycopg.AsyncConnection[Any], by: timedelta) -> None:
        # Due is by the database's clock, which stands in nobody's power: what is planned comes nearer instead.
        for statement in _ON.split(";"):
            await connection.execute(statement.encode(), {"agent": self.agent, "by": by})

    async def open(self) -> int:
        """How many mails are due, and neither handed over nor held."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            found = await connection.execute(
                "select count(*) from followups.tasks t left join followups.emails e on e.task_id = t.id"
                " where t.agent_id = %s and t.status = 'pending' and t.channel = 'email' and t.scheduled_for <= now()"
                " and (e.id is null or e.state in ('claimed', 'sending'))",
                (self.agent,),
            )
            row = await found.fetchone()
        return row[0] if row else 0


def steps_table(mails: list[dict[str, Any]], delivered: Counter[str]) -> Table:
    """Each step: how many of its mails the sink has once and more often, and how many were held back."""
    table = Table(title="The steps: what the sink has, and what the database says", title_justify="left")
    for name in ("step", "planned", "in the sink once", "twice", "sent by the books", "held back", "unknown"):
        table.add_column(name, justify="left" if name == "step" else "right")
    for step in dict.fromkeys(mail["step"] for mail in mails):
        of = [mail for mail in mails if mail["step"] == step]
        table.add_row(step, *(f"{one:,}" for one in _figures(of, delivered)))
    table.add_section()
    table.add_row("all", *(f"{one:,}" for one in _figures(mails, delivered)))
    return table


def _figures(mails: list[dict[str, Any]], delivered: Counter[str]) -> tuple[int, ...]:
    times = [delivered[mail["key"]] for mail in mails if mail["key"]]
    states = Counter(mail["state"] if mail["state"] in ("sent", "unknown") else mail["status"] for mail in mails)
    held_back = states["skipped"] + states["cancelled"]
    return len(mails), times.count(1), sum(one > 1 for one in times), states["sent"], held_back, states["unknown"]


def reasons_table(mails: list[dict[str, Any]]) -> Table:
    """What was held back, and why."""
    table = Table(title="Held back", title_justify="left")
    table.add_column("reason")
    table.add_column("mails", justify="right")
    kept = [mail for mail in mails if mail["status"] in ("skipped", "cancelled") and mail["state"] != "sent"]
    for reason, number in Counter(mail["reason"] for mail in kept).most_common():
        table.add_row(reason, str(number))
    return table


def check(mails: list[dict[str, Any]], delivered: Counter[str]) -> None:
    """Raise DemoFailed unless each mail that was sent is in the sink once, and of the others none is.

    A task may have been cancelled while nobody knew that its mail was sent: the mail's own state counts.
    """
    wrong = [
        f"task {mail['task']} ({mail['step']}) is {mail['status']}, its mail {mail['state']}, and the sink has it"
        f" {times} times"
        for mail in mails
        if (times := delivered[mail["key"] or ""]) != int(mail["state"] == "sent")
        or (mail["status"] == "completed" and mail["state"] != "sent")
    ]
    if wrong:
        raise DemoFailed("; ".join(wrong[:5]))
