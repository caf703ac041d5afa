"""What stands around a mail's words: whose it is, to whom it goes, where its link leads. It is stored with them."""

from __future__ import annotations

from typing import Any

from shared.followups.composing.brief import footer_of
from shared.followups.sending.message import sender_name
from shared.followups.settings import settings

COLUMNS = "sender, sender_name, recipient, recipient_name, reply_to, footer, public_url, first_sending_at"
"""What an attempt takes from the row as it is then."""

STORE = (
    "sender = coalesce(nullif(%(sender)s, ''), sender), sender_name = %(sender_name)s, recipient = %(recipient)s,"
    " recipient_name = %(recipient_name)s, reply_to = %(reply_to)s, footer = %(footer)s, public_url = %(public_url)s"
)
"""Sets the columns from what `envelope` gives."""

COMPLETE = (
    "sender_name = coalesce(sender_name, %(sender_name)s), recipient_name = coalesce(recipient_name,"
    " %(recipient_name)s), public_url = coalesce(public_url, %(public_url)s)"
)
"""Sets what was not known when the mail was written; what is stored stays."""


def is_outdated(row: dict[str, Any]) -> bool:
    """Whether a written mail names an address, of whomever, that is another by now."""
    now = envelope(row)
    return (
        any(row[name] != now[name] for name in ("sender", "recipient", "reply_to"))
        or (row["postal_address"] or "").strip() not in row["footer"]
    )


def envelope(row: dict[str, Any]) -> dict[str, Any]:
    """The envelope as of now, of a row that `facts.read` gave."""
    return {
        "sender": settings().followups_sender,
        "sender_name": sender_name(row["agent_name"], row["company"]),
        "recipient": row["client_email"],
        "recipient_name": row["client_name"] or "",
        "reply_to": settings().followups_reply_to or row["agent_email"],
        "footer": footer_of(row),
        "public_url": settings().followups_public_url or None,
    }
