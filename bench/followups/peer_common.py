"""What the peers' programs share: their table, and one mail to the sink."""

# The peers live in an environment of their own, so their types are not here to check against.
# pyright: basic, reportMissingImports=false

import smtplib
from email.message import EmailMessage

TABLE = """
drop schema if exists peer cascade;
create schema peer;
create table peer.tasks (
    id bigint generated always as identity primary key,
    recipient text not null,
    scheduled_for timestamptz not null,
    status text not null default 'pending',
    attempts integer not null default 0
);
create index on peer.tasks (scheduled_for) where status = 'pending'
"""
BODY = (
    "Hello Ann,\n\nThank you for telling me about your plans. I have read your request and would like to help.\n\n"
    "We begin with a short conversation.\n\nWhen would a short call suit you?\n\n-- \nAlice\nAcme\n1 Main Street\n"
)


def hand_over(port: int, recipient: str) -> None:
    """One mail over a connection of its own. Raises OSError or smtplib.SMTPException."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", recipient, "Thank you for getting in touch"
    message.set_content(BODY)
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as relay:
        relay.send_message(message)
