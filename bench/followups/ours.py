"""The app: five real hosts, each with a task hub of its own, whose minute timers start sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.followups.trial import HOSTS, Host, address
from local.forked import Forked
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
)
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


class Ours:
    """The app as it ships, but for the sender's rate, which is off."""

    title = "Manifold"

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = {**settings, "FOLLOWUPS_MAILS_PER_MINUTE": "0"}
        self._dsn = settings["POSTGRES_DSN"]

    def hosts(self) -> Sequence[Host]:
        return [_Host(self._folder / f"host-{number}", self._settings) for number in range(HOSTS)]

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
        """A worker that died in `sending` is found five minutes later, and a person is mailed."""
        found = self._rows(
            "select c.email from followups.tasks t join followups.clients c on c.id = t.client_id where"
            " t.status <> 'completed'"
        )
        return {str(row[0]) for row in found}

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as connection:
            return connection.execute(query.encode()).fetchall()
