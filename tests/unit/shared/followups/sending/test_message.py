"""A message is what was stored, and no data of a client can add a header to it."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.followups.sending.message import Mail, message_of, unsubscribe_link
from tests.present import present

MAIL = Mail(
    email_id=1,
    key=UUID(int=7),
    sender_name="Alice via Acme",
    sender="followups@example.com",
    recipient_name="Ann",
    recipient="ann@example.com",
    reply_to="alice@example.com",
    subject="A few words about your plans",
    body="Hello Ann,\n\nText.",
    footer="Alice\n1 Main Street",
    date=datetime(2026, 11, 30, tzinfo=UTC),
)


def read(**changed):
    fields = {name: getattr(MAIL, name) for name in MAIL.__dataclass_fields__}
    return message_from_bytes(message_of(Mail(**{**fields, **changed})).as_bytes(), policy=policy.SMTP)


def test_the_headers_are_ours_and_replies_go_to_the_agent():
    message = read()
    assert message["From"] == "Alice via Acme <followups@example.com>"
    assert message["Reply-To"] == "alice@example.com"
    assert message["Message-ID"] == f"<{UUID(int=7)}@example.com>"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert "1 Main Street" in present(message.get_body(("plain",))).get_content()


def test_one_click_unsubscription_is_offered_by_both_headers():
    message = read(unsubscribe="https://app.example.com/u/1")
    assert message["List-Unsubscribe"] == "<https://app.example.com/u/1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "host", ["app.example.com", "func-manifold-abcdefghij.westeurope-01.azurewebsites.net", "a" * 290]
)
def test_the_link_of_the_header_stands_in_one_line_however_long_it_is(host):
    link = unsubscribe_link(f"https://{host}", UUID(int=9))
    lines = message_of(replace(MAIL, unsubscribe=link)).as_bytes().split(b"\r\n")
    assert f"List-Unsubscribe: <{link}>".encode() in lines
    assert len(max(lines, key=len)) <= 998


@pytest.mark.parametrize("name", ["Ann\r\nBcc: x@example.com", "Ann\nBcc: x@example.com", "Ann\u2028Bcc: x@y"])
def test_a_line_break_in_stored_data_stays_in_its_header(name):
    message = read(recipient_name=name, sender_name=name, subject=name)
    assert message["Bcc"] is None
    assert len(present(message.get_all("To"))) == len(present(message.get_all("Subject"))) == 1


def test_a_name_with_markup_is_escaped_in_html_and_plain_in_text():
    message = read(body="Hello O'Brien <b>,\n\nText.")
    assert "&lt;b&gt;" in present(message.get_body(("html",))).get_content()
    assert "<b>" in present(message.get_body(("plain",))).get_content()


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=300))
def test_any_text_gives_one_message_with_one_of_each_header(text):
    message = read(recipient_name=text, sender_name=text, subject=text, body=text)
    for header in ("From", "To", "Reply-To", "Subject", "Message-ID"):
        assert len(present(message.get_all(header))) == 1
    assert message["To"].addresses[0].addr_spec == "ann@example.com"
