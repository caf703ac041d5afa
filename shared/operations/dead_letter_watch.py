"""Tells people of queues that hold messages which could not be worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.alerting.alerts import Alert, AlertKind, send_once
from shared.platform.messaging import queue_figures

if TYPE_CHECKING:
    from shared.platform.alerting.mail import Mailer

DEAD_LETTERS = AlertKind(
    "dead-letters",
    "A queue holds messages that could not be worked on. Read them at /ops/queues, and put them back.",
)


async def watch_dead_letters(*, via: Mailer | None = None) -> list[str]:
    """Mail each queue that holds dead letters, once a day; those queues.

    Raises:
        TransientError, TerminalError: the queues could not be counted, or the mail was not taken.
    """
    found = [figures for figures in await queue_figures.all_figures() if figures.dead_letters]
    for figures in found:
        await send_once(dead_letters_found(figures.queue, figures.dead_letters, exact=figures.exact), via)
    return [figures.queue for figures in found]


def dead_letters_found(queue: str, count: int, *, exact: bool = True) -> Alert:
    """Messages were delivered as often as the queue allows, and no delivery succeeded."""
    many = "one dead letter" if exact and count == 1 else f"{'' if exact else 'more than '}{count:,} dead letters"
    return DEAD_LETTERS.about(
        f"queue/{queue}",
        subject=f"[Manifold] {queue}: {many}",
        text=(
            f"The queue {queue} holds {many}: messages that could not be worked on.\n\n"
            f"To read them:\n    GET /ops/queues/{queue}/dead-letters\n"
            "To put them back into the queue once the cause is gone:\n"
            f'    POST /ops/queues/{queue}/dead-letters/resubmit {{"all": true}}\n'
        ),
    )
