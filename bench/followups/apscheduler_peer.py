"""APScheduler with the loop of the replaced system: `apscheduler_peer.py VERB DSN PORT [as-it-stands|with-care]`.

As it stands: each host runs the job every minute, goes through all that is due, and ends a task whether its mail was
sent or not. With care, as the scheduler's documents and the system's own ask for: one host works at a time, by an
advisory lock that PostgreSQL gives to the next when its holder dies; a run that was missed is made up for once and
never overlaps; each task is looked at again before it is sent; one that failed is tried again, five times at most.
"""

# APScheduler lives in an environment of its own, so its types are not here to check against.
# pyright: basic, reportMissingImports=false

import sys

import psycopg
from apscheduler.schedulers.blocking import BlockingScheduler
from peer_common import TABLE, hand_over

VERB, DSN, PORT, *WORDS = sys.argv[1:]
CAREFUL = WORDS == ["with-care"]
LOCK = 4711
MOST_ATTEMPTS = 5


def process_due() -> None:
    with psycopg.connect(DSN, autocommit=True) as connection:
        if CAREFUL:
            connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        due = connection.execute(
            "select id, recipient from peer.tasks where status = 'pending' and scheduled_for <= now() order by id"
        ).fetchall()
        for number, recipient in due:
            if not CAREFUL or _pending(connection, number):
                _process(connection, number, recipient)


def _pending(connection, number: int) -> bool:
    found = connection.execute("select from peer.tasks where id = %s and status = 'pending'", (number,)).fetchone()
    return found is not None


def _process(connection, number: int, recipient: str) -> None:
    try:
        hand_over(int(PORT), recipient)
        status = "sent"
    except OSError:
        status = "failed"
    if CAREFUL and status == "failed":
        connection.execute(
            "update peer.tasks set attempts = attempts + 1,"
            " status = case when attempts + 1 < %s then 'pending' else 'failed' end where id = %s",
            (MOST_ATTEMPTS, number),
        )
    else:
        connection.execute("update peer.tasks set status = %s where id = %s", (status, number))


def work() -> None:
    scheduler = BlockingScheduler(timezone="UTC")
    care = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler.add_job(process_due, "cron", second=0, **(care if CAREFUL else {}))
    print("ready", flush=True)
    scheduler.start()


def main() -> None:
    if VERB == "work":
        work()
    with psycopg.connect(DSN, autocommit=True) as connection:
        if VERB == "prepare":
            connection.execute(TABLE)
        elif VERB == "waiting":
            print(connection.execute("select count(*) from peer.tasks where status = 'pending'").fetchall()[0][0])


main()
