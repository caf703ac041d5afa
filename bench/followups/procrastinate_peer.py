"""procrastinate: a job for each mail: `procrastinate_peer.py VERB DSN PORT`.

With the care that its documents recommend: a job looks whether its work is done before it does it, failures of the
network are tried again with a pause, workers have heartbeats, and a periodic task takes up the jobs of workers that
died, here every minute in place of every ten.
"""

# procrastinate lives in an environment of its own, so its types are not here to check against.
# pyright: basic, reportMissingImports=false

import asyncio
import sys
from datetime import datetime

import procrastinate
import psycopg
from peer_common import TABLE, hand_over

VERB, DSN, PORT = sys.argv[1:]
CONCURRENCY = 10
"""As many as a host of the app runs activities at once."""

connector = procrastinate.PsycopgConnector(conninfo=DSN, kwargs={"options": "-c search_path=procrastinate,public"})
app = procrastinate.App(connector=connector)


@app.task(retry=procrastinate.RetryStrategy(max_attempts=5, wait=5, retry_exceptions={OSError}))
def send(number: int, recipient: str) -> None:
    with psycopg.connect(DSN, autocommit=True) as connection:
        if connection.execute("select from peer.tasks where id = %s and status = 'sent'", (number,)).fetchone():
            return
        hand_over(int(PORT), recipient)
        connection.execute("update peer.tasks set status = 'sent' where id = %s", (number,))


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(_context, timestamp: int) -> None:  # noqa: ARG001 - it is given by that name
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)


async def prepare() -> None:
    async with await psycopg.AsyncConnection.connect(DSN, autocommit=True) as connection:
        await connection.execute(TABLE)
        await connection.execute("drop schema if exists procrastinate cascade")
        await connection.execute("create schema procrastinate")
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def plan() -> None:
    async with await psycopg.AsyncConnection.connect(DSN) as connection:
        found = await connection.execute("select id, recipient, scheduled_for from peer.tasks order by id")
        rows = await found.fetchall()
    at: datetime = rows[0][2]
    async with app.open_async():
        jobs = send.configure(schedule_at=at)
        await jobs.batch_defer_async(*({"number": number, "recipient": to} for number, to, _ in rows))


async def work() -> None:
    async with app.open_async():
        print("ready", flush=True)
        await app.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False)


async def waiting() -> None:
    async with await psycopg.AsyncConnection.connect(DSN) as connection:
        found = await connection.execute(
            "select count(*) from procrastinate.procrastinate_jobs where status in ('todo', 'doing')"
            " and task_name not like '%retry_stalled_jobs'"
        )
        print((await found.fetchall())[0][0])


asyncio.run({"prepare": prepare, "plan": plan, "work": work, "waiting": waiting}[VERB]())
