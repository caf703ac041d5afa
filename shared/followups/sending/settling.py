"""What becomes of a mail by what is known of its hand-over: sent, failed, unknown, or claimed once more, later.

Whoever calls has locked the mail's task.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.followups.people import tasks

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.followups.steps import Outcome

MOST_ATTEMPTS = 6
FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=2), timedelta(minutes=30)
BAD_ADDRESS = re.compile(r"\b5\.1\.(1|2|3|6|10)\b")
"""Enhanced status codes which say that there is no such mailbox."""

logger = logging.getLogger(__name__)


async def settle(connection: AsyncConnection[Any], mail: dict[str, Any], outcome: Outcome) -> None:
    """Note what is known of the mail, of a row of its table."""
    values = {"id": mail["id"], "provider_id": outcome.provider_id, "code": outcome.code, "text": outcome.text}
    match outcome.kind:
        case "accepted":
            await connection.execute(
                "update followups.emails set state = 'sent', sent_at = now(), provider_id = %(provider_id)s,"
                " error_code = null, error = null, updated_at = now() where id = %(id)s",
                values,
            )
            await tasks.end(connection, mail["task_id"], "completed", None)
            await connection.execute(
                "update followups.clients set last_contacted = greatest(last_contacted, %s), updated_at = now()"
                " where id = %s",
                (mail["repeated_at"] or mail["sending_at"], mail["client_id"]),
            )
        case "unknown":
            await connection.execute(
                "update followups.emails set state = 'unknown', error_code = %(code)s, error = %(text)s,"
                " updated_at = now() where id = %(id)s",
                values,
            )
            warn_unknown(mail["id"])
        case "postponed" if mail["repeated_at"] is not None:
            return  # of an attempt before the last one, which nobody knows of yet
        case "postponed" if outcome.any_mail or mail["attempts"] + 1 < MOST_ATTEMPTS:
            await _postpone(connection, mail, outcome)
        case "refused" | "postponed":
            await _fail(connection, mail, outcome)


async def _postpone(connection: AsyncConnection[Any], mail: dict[str, Any], outcome: Outcome) -> None:
    """Let it be claimed again later, also when it was given up meanwhile; not if its task has ended.

    What stops every mail is no reason to give one up: that ends with the mail's lateness.
    """
    tried = datetime.now(UTC) - mail["first_sending_at"]
    delay = tried / 2 if outcome.any_mail else FIRST_DELAY * 2 ** mail["attempts"]
    await connection.execute(
        "update followups.emails e set state = case t.status when 'pending' then 'claimed' else 'cancelled' end,"
        " attempts = attempts + %(attempts)s, sending_at = null, told_unknown_at = null, error_code = %(code)s,"
        " error = %(text)s, leased_until = now() + %(delay)s, updated_at = now()"
        " from followups.tasks t where e.id = %(id)s and t.id = e.task_id",
        {
            "id": mail["id"],
            "code": outcome.code,
            "text": outcome.text,
            "attempts": 0 if outcome.any_mail else 1,
            "delay": min(max(delay, FIRST_DELAY), LONGEST_DELAY),
        },
    )


async def _fail(connection: AsyncConnection[Any], mail: dict[str, Any], outcome: Outcome) -> None:
    await connection.execute(
        "update followups.emails set state = 'failed', error_code = %s, error = %s, attempts = attempts + 1,"
        " updated_at = now() where id = %s",
        (outcome.code, outcome.text, mail["id"]),
    )
    await tasks.end(connection, mail["task_id"], "skipped", "send-failed")
    if BAD_ADDRESS.search(outcome.text or ""):
        await connection.execute(
            "insert into followups.suppressions as known (address, scope, reason) values (%s, 'all', 'no-such-mailbox')"
            " on conflict (address) do update set scope = 'all', reason = excluded.reason where known.scope <> 'all'",
            (mail["recipient"],),
        )


def warn_unknown(email_id: int) -> None:
    """An alert of the infrastructure looks for this line."""
    logger.warning("Nobody knows whether a mail was handed over.", extra={"email": email_id})
