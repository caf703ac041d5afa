"""An answer of a person is told from those of machines and from notices of mail servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.events.inbound import read


def raw(body="Yes, please call me.", **headers):
    given = {"From": "Ann <Ann@Example.com>", "Subject": "Re: your plans", "Message-ID": "<a@b>", **headers}
    return (
        "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items()).encode()
        + b"\r\n"
        + body.encode()
    )


def test_an_answer_has_its_sender_its_text_and_what_it_refers_to():
    mail = read(raw(In_Reply_To="<k1@example.com>", References="<k0@example.com> <k1@example.com>"), "ann@example.com")
    assert (mail.kind, mail.sender, mail.body.strip()) == ("person", "ann@example.com", "Yes, please call me.")
    assert mail.answers == ("k1", "k0")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Subject": "Automatische Antwort: Ihre Anfrage"},
        {"Subject": "Automatische Antwort: x", "Auto_Submitted": "auto-generated; x=y"},
        {"Subject": "Out of Office: back on Monday"},
        {"X_Autoreply": "yes"},
        {"Precedence": "bulk"},
    ],
)
def test_an_answer_of_a_machine_is_none_of_a_person(headers):
    assert read(raw(**headers), "ann@example.com").kind == "automatic"


def test_a_notice_of_a_mail_server_is_no_answer():
    assert read(raw(), "").kind == "notice"
    report = raw(Content_Type='multipart/report; report-type=delivery-status; boundary="x"', body="--x--")
    assert read(report, "postmaster@example.com").kind == "notice"
    assert read(raw(Return_Path="<>")).kind == "notice"


def test_no_is_what_people_submit():
    assert read(raw(Auto_Submitted="no")).kind == "person"


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(content):
    read(content)


@pytest.mark.parametrize(
    "header",
    [
        "Message-ID: <",
        "Message-ID: <a@[>",
        "From: =?utf-8?q?=0D=0AAnn?= <unc@example.com>",
        "Content-Type: text/plain; charset*=utf-16''x",
        "Subject: =?utf-16?b?AAA?=",
        "References: <<>><",
    ],
)
def test_an_answer_is_read_whatever_a_stranger_wrote_into_a_header(header):
    raw = f"{header}\r\nFrom: ann@example.com\r\nIn-Reply-To: <key@example.com>\r\n\r\nYes.".encode()
    found = read(raw, "ann@example.com")
    assert found.kind == "person"
    assert "key" in found.answers


@given(st.binary(max_size=400), st.sampled_from([b"", b"From: a@b.c\r\n", b"Content-Type: multipart/report\r\n"]))
def test_whatever_arrives_is_read(data, head):
    assert read(head + data).message_id


@pytest.mark.parametrize("subject", ["Automatisk svar: hej", "Automaattinen vastaus", "Afwezig", "Abwesenheit: Urlaub"])
def test_a_machine_answers_in_many_languages(subject):
    assert read(f"From: a@b.c\r\nSubject: {subject}\r\n\r\nx".encode(), "a@b.c").kind == "automatic"
