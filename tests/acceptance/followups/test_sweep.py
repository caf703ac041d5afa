"""On the real host: the minute timer sends what is due, once, also when it fires twice or the host is killed."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from local.killable import KillableService
from local.processes import free_ports
from tests.acceptance.followups.conftest import KEY

AGENT = """
insert into followups.agents
    (email, auth_provider, name, company, postal_address, send_mode, working_days, opens, closes)
values ('alice@example.com', 'email', 'Alice', 'Acme', '1 Main Street', 'automatic', '{1,2,3,4,5,6,7}',
    '00:00', '23:59:59')
"""
CLIENTS = """
insert into followups.clients (agent_id, name, email, property_type, stage)
select 1, 'Ann', 'ann' || n || '@example.com', 'residential', 'lead' from generate_series(1, %s) n
"""
TASKS = """
insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)
select 1, id, 'Day 1', now(), now(), 'high' from followups.clients
"""


def due(app: Any, number: int) -> None:
    app.execute(AGENT)
    app.execute(CLIENTS, number)
    app.execute(TASKS)


def open_tasks(app: Any) -> int:
    return app.execute("select count(*) from followups.tasks where status = 'pending'")[0][0]


async def test_a_timer_that_fires_twice_sends_each_mail_once(running: Any) -> None:
    async with running() as app:
        due(app, 5)
        app.minute()
        app.minute()
        app.until(lambda: open_tasks(app) == 0)
        app.minute()
        app.until(lambda: b'"green"' in app.host.request("GET", "/health/scheduler").body)  # before, 503 and red
        assert sorted(mail["recipients"][0] for mail in app.mails()) == [f"ann{n}@example.com" for n in range(1, 6)]
        key = app.execute("select unsubscribe_key::text from followups.emails limit 1")[0][0]
        assert app.host.request("GET", f"/unsubscribe/{key}").status == 200
        assert app.host.request("HEAD", f"/unsubscribe/{key}").status == 200
        assert app.execute("select * from followups.suppressions") == []
        assert app.host.request("POST", f"/unsubscribe/{key}").status == 200
        assert len(app.execute("select * from followups.suppressions")) == 1


async def test_a_host_that_is_killed_in_a_sweep_goes_on_and_sends_nothing_twice(running: Any) -> None:
    async with running() as app:
        due(app, 40)
        app.minute()
        app.until(lambda: len(app.mails()) > 2)
        assert "send_followup_batch" in app.host.restart_by_kill()

        def ended() -> bool:
            app.execute("update followups.emails set leased_until = now() where state in ('claimed', 'sending')")
            app.minute()
            counted = app.execute(
                "select count(*) from followups.tasks t left join followups.emails e on e.task_id = t.id"
                " where t.status = 'pending' and coalesce(e.state, '') <> 'unknown'"
            )
            return counted[0][0] == 0

        app.until(ended, 120)
        followups = [mail["recipients"][0] for mail in app.mails() if "Manifold" not in mail["subject"]]
        assert len(set(followups)) == len(followups) <= 40
        unknown = app.execute("select count(*) from followups.emails where state = 'unknown'")[0][0]
        assert len(followups) + unknown >= 40


async def test_a_reply_that_comes_to_the_mail_server_ends_the_cadence(running: Any, tmp_path: Path) -> None:
    async with running(FOLLOWUPS_REPLY_TO="replies@example.com") as app:
        due(app, 1)
        app.minute()
        app.until(lambda: open_tasks(app) == 0)
        app.execute(
            "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)"
            " select 1, id, 'Day 3', now() + interval '2 days', now(), 'medium' from followups.clients"
        )
        [sent] = app.mails()
        assert sent["headers"]["Reply-To"].strip() == "replies@example.com"
        answer = EmailMessage()
        answer["From"], answer["To"], answer["Subject"] = "ann1@example.com", "replies@example.com", "Re: your mail"
        answer["In-Reply-To"] = sent["headers"]["Message-ID"].strip()
        answer.set_content("Yes, please.")
        ports = free_ports(2)
        flags = ("--port", ports[0], "--http-port", ports[1], "--data", tmp_path / "in")
        relay = KillableService(
            ("local.smtp", *flags, "--inbound", f"{app.host.url}/webhooks/mail"),
            {"FOLLOWUPS_REPLY_TO": "replies@example.com", "ADMIN_API_KEY": KEY},
        )
        with relay.running(), smtplib.SMTP("127.0.0.1", ports[0]) as client:
            client.send_message(answer)
        assert app.execute("select status, reason from followups.tasks where followup_type = 'Day 3'") == [
            ("skipped", "replied")
        ]
        assert app.execute("select notes from followups.tasks where channel = 'agent'") == [("Answer: Re: your mail",)]


async def test_a_timer_that_did_not_fire_for_seven_minutes_is_shown_and_then_sends_each_mail_once(running: Any) -> None:
    async with running() as app:
        due(app, 5)
        app.execute("update followups.tasks set scheduled_for = now() - interval '7 minutes'")
        app.execute("update followups.scheduler set swept_at = now() - interval '7 minutes'")
        late = app.ask("GET", "/health/scheduler", status=503)
        assert late["status"] == "red"
        assert late["last_sweep_age_seconds"] >= 420
        assert late["oldest_due_age_seconds"] >= 420
        assert any("the last sweep ended" in reason for reason in late["reasons"])
        app.minute()
        app.minute()
        app.until(lambda: open_tasks(app) == 0)
        app.until(lambda: app.host.request("GET", "/health/scheduler").status == 200)
        app.minute()
        assert sorted(mail["recipients"][0] for mail in app.mails()) == [f"ann{n}@example.com" for n in range(1, 6)]
        assert app.ask("GET", "/health/scheduler")["oldest_due_age_seconds"] is None
