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


@pytest.mark.parametrize(
    "sender",
    [
        "=?utf-8?q?M=C3=BCller=2C_Ann?= <ann@example.com>",
        "=?utf-8?q?x=40y.com=2C?= <ann@example.com>",
        "=?utf-8?q?=3Cx=40y.com=3E?= <ann@example.com>",
        "M\u00fcller Ann <ann@example.com>",
        '"M\u00fcller, <x@y.com>" <ann@example.com>',
        "ann@example.com",
        "<Ann@Example.com>",
    ],
)
def test_who_wrote_is_told_by_the_address_whatever_the_name(sender):
    assert read(f"From: {sender}\r\nSubject: Re\r\n\r\nYes.".encode(), "ann@example.com").sender == "ann@example.com"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Gr\u00fc\u00dfe", "person"),
        ("R\u00e9ponse automatique", "automatic"),
        ("Resposta autom\u00e1tica", "automatic"),
    ],
)
def test_a_subject_without_encoded_words_is_read_as_it_was_written(encoding, subject, kind):
    found = read(f"From: a@b.c\r\nSubject: {subject}\r\n\r\nYes.".encode(encoding), "a@b.c")
    assert (found.subject, found.kind) == (subject, kind)
