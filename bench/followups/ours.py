"""The app: five real hosts, each with a task hub of its own, whose minute timers start sweeps."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.followups.trial import HOSTS, Host, address
from local.forked import Forked
from local.host.testing.client import Answer
from local.host.testing.process import HostProcess, Program

ROOT = Path(__file__).parents[2]
FUNCTIONS = (
    "operations_minute",
    "send_followups",
    "send_followup_batch",
    "claim_followups",
    "compose_followup",
    "hand_over_followup",
    "record_followup",
    "settle_followups",
    "followups_list_unknown",
)
ADMIN_KEY = "bench-admin-key"
SETTLED_SECONDS = 120
AGENTS = 50
_AGENTS = """
insert into followups.agents (email, auth_provider, name, company, postal_address, send_mode, working_days, opens,
    closes, daily_cap)
select 'agent-' || n || '@bench.example.com', 'email', 'Alice', 'Acme', '1 Main Street', 'automatic',
    '{1,2,3,4,5,6,7}', '00:00', '23:59:59.999999', 100000 from generate_series(0, %(agents)s - 1) n
"""
_CLIENT = """
insert into followups.clients (agent_id, name, email, property_type, stage)
values ((select id from followups.agents where email = 'agent-' || (%s %% %s) || '@bench.example.com'), 'Ann Client',
    %s, 'residential', 'lead')
"""
_TASKS = """
insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)
select agent_id, id, 'Day 1', to_timestamp(%(due)s), to_timestamp(%(due)s), 'high' from followups.clients
"""


class _Forked(HostProcess):
    """A host that has its libraries loaded when it starts, so that a killed one works again within a second."""

    def _launch(self, arguments: list[str], environment: Mapping[str, str]) -> Program:
        return Forked("local.host", arguments, environment, errors_too=True)


class _Host:
    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        self._host = _Forked(ROOT, data, ("--functions", *FUNCTIONS), settings)

    def start(self) -> None:
        self._host.output.clear()
        self._host.start()

    def kill(self) -> None:
        self._host.kill()

    def minute(self) -> None:
        """Let the minute timer fire."""
        self._request("POST", "/admin/functions/operations_minute", {})

    def shown(self) -> set[str]:
        """The addresses of the unknown mails that an operator is shown, all pages."""
        found: set[str] = set()
        cursor: str | None = ""
        while cursor is not None:
            page = self._request("GET", f"/api/followups/unknown?limit=100&cursor={cursor}").json()
            found |= {str(mail["recipient"]) for mail in page["data"]}
            cursor = page["pagination"]["next"]
        return found

    def _request(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self._host.request(method, path, body, headers={"X-Admin-Key": ADMIN_KEY})
        if not 200 <= answer.status < 300:
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.body[:500]!r}")
        return answer


class Ours:
    """The app as it ships, but for the sender's rate, which is off."""

    title = "Manifold"

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = {**settings, "FOLLOWUPS_MAILS_PER_MINUTE": "0", "ADMIN_API_KEY": ADMIN_KEY}
        self._dsn = settings["POSTGRES_DSN"]

    def hosts(self) -> Sequence[Host]:
        return [self._host(number) for number in range(HOSTS)]

    def plan(self, mails: int, due: float) -> None:
        with psycopg.connect(self._dsn) as connection:
            connection.execute(_AGENTS, {"agents": AGENTS})
            clients = [(number, AGENTS, address(number)) for number in range(mails)]
            connection.cursor().executemany(_CLIENT, clients)
            connection.execute(_TASKS, {"due": due})

    def waiting(self) -> int:
        """Those in `sending` are not among them: they were handed over, or their worker has died."""
        return int(
            self._rows(
                "select count(*) from followups.tasks t left join followups.emails e on e.task_id = t.id"
                " where t.status = 'pending' and (e.id is null or e.state = 'claimed' or (e.state = 'sending'"
                " and e.sending_at > now() - interval '10 seconds'))"
            )[0][0]
        )

    def unresolved(self) -> set[str]:
        """Those that are unknown, once a host has found the workers that died in `sending`.

        Raises:
            SystemExit: a mail that is not sent is in another state, or is not shown to a person.
        """
        host = self._host(0)
        host.start()
        try:
            self._settle(host)
            shown = host.shown()
        finally:
            host.kill()
        found = self._rows(
            "select c.email, coalesce(e.state, 'no mail') from followups.tasks t join followups.clients c"
            " on c.id = t.client_id left join followups.emails e on e.task_id = t.id where t.status <> 'completed'"
        )
        states = {str(row[0]): str(row[1]) for row in found}
        if strangers := {one: state for one, state in states.items() if state != "unknown" or one not in shown}:
            raise SystemExit(
                f"{len(strangers)} of {len(states)} unresolved mails are not unknown, or are shown to nobody:"
                f" {dict(list(strangers.items())[:10])}"
            )
        if shown - states.keys():
            raise SystemExit(f"A person is shown {len(shown - states.keys())} mails that are settled.")
        return set(states)

    def _settle(self, host: _Host) -> None:
        """Have all found whose worker has died, without the five minutes until their leases end."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute("update followups.emails set leased_until = now() where state = 'sending'")
        deadline = time.monotonic() + SETTLED_SECONDS
        while self._rows("select 1 from followups.emails where state = 'sending' limit 1"):
            if time.monotonic() > deadline:
                raise SystemExit(f"Mails were still in `sending` {SETTLED_SECONDS} s after all had come to rest.")
            host.minute()
            time.sleep(1)

    def _host(self, number: int) -> _Host:
        return _Host(self._folder / f"host-{number}", self._settings)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as connection:
            return connection.execute(query.encode()).fetchall()
