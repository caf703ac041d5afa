"""The mail sink as users start it, spoken to by Python's own mail client."""

import asyncio
import signal
import smtplib
import subprocess
import sys
from email.message import EmailMessage

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.arm.servers import listening
from local.processes import free_port, free_ports
from tests.present import present


@pytest.fixture
def start(tmp_path):
    running = []

    def started(*flags):
        ports = free_ports(2)
        flags = ("--port", str(ports[0]), "--http-port", str(ports[1]), "--data", str(tmp_path), *flags)
        command = [sys.executable, "-m", "local.smtp", *flags]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert present(process.stdout).readline().startswith(f"ready smtp://127.0.0.1:{ports[0]}")
        return process, ports[0], f"http://127.0.0.1:{ports[1]}"

    yield started
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


def _mail(to="agent@example.com", subject="Tést ✓") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "manifold@example.com", to, subject
    mail.set_content("It is done.")
    mail.add_alternative("<b>It is done.</b>", subtype="html")
    return mail


def _send(port: int, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(mail)


def test_mails_are_kept_shown_and_found_again(start, tmp_path):
    process, port, http = start()
    _send(port, _mail())
    _send(port, _mail(subject="second"))
    first, second = httpx.get(f"{http}/messages").json()
    assert (first["subject"], second["subject"]) == ("Tést ✓", "second")
    assert (first["sender"], first["recipients"]) == ("manifold@example.com", ["agent@example.com"])
    assert (first["text"].strip(), first["html"].strip()) == ("It is done.", "<b>It is done.</b>")
    assert b"Subject: second" in httpx.get(f"{http}/messages/{second['id']}").content
    assert len(list(tmp_path.glob("*.eml"))) == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    _, _, http = start()
    assert httpx.get(f"{http}/messages").json() == [first, second]
    assert httpx.delete(f"{http}/messages").status_code == 204
    assert httpx.get(f"{http}/messages").json() == []
    assert httpx.get(f"{http}/messages/{first['id']}").status_code == 404
    assert httpx.get(f"{http}/messages/..%2f..%2fetc%2fpasswd").status_code == 404


def test_a_person_looks_at_the_mails_of_which_nothing_runs(start):
    _, port, http = start()
    assert "No mail has come yet" in httpx.get(f"{http}/").text
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "<script>alert(1)</script>"
    mail["List-Unsubscribe"] = "<https://app.example.com/unsubscribe/1>"
    mail.set_content('"><script>alert(2)</script>')
    mail.add_alternative("<b>It is done.</b><script>alert(3)</script>", subtype="html")
    _send(port, mail)
    inbox = httpx.get(f"{http}/")
    assert inbox.headers["Content-Security-Policy"].startswith("default-src 'none'")
    [kept] = httpx.get(f"{http}/messages").json()
    assert f'<a href="/mails/{kept["id"]}">&lt;script&gt;' in inbox.text
    page = httpx.get(f"{http}/mails/{kept['id']}").text
    assert "&lt;https://app.example.com/unsubscribe/1&gt;" in page
    assert '<iframe sandbox srcdoc="&lt;b&gt;It is done.' in page
    assert "<script" not in page + inbox.text
    assert httpx.get(f"{http}/mails/none").status_code == 404


@pytest.mark.parametrize("header", ["Content-Type: text/plain; charset=x-none", "Message-ID: <", "Date: x"])
def test_a_malformed_mail_hides_no_other(start, header):
    _, port, http = start()
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("a@example.com", ["b@example.com"], f"{header}\r\nSubject: odd\r\n\r\nIts text.\r\n")
    _send(port, _mail(subject="second"))
    odd, second = httpx.get(f"{http}/messages").json()
    assert (odd["recipients"], second["subject"]) == (["b@example.com"], "second")
    assert "Its text." in odd["text"]
    assert httpx.get(f"{http}/").status_code == httpx.get(f"{http}/mails/{odd['id']}").status_code == 200


def test_recipients_are_refused_for_good_or_for_now(start):
    _, port, http = start("--reject", "bounce@example.com=550")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        _send(port, _mail("bounce@example.com"))
    assert refused.value.recipients == {"bounce@example.com": (550, b"5.1.1 No such user here")}
    later = httpx.post(f"{http}/rejections", json={"address": "*", "code": 451, "times": 1})
    assert later.status_code == 200
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        _send(port, _mail())
    assert refused.value.recipients["agent@example.com"][0] == 451
    _send(port, _mail())
    assert len(httpx.get(f"{http}/messages").json()) == 1
    assert httpx.delete(f"{http}/rejections").json() == []
    _send(port, _mail("bounce@example.com"))
    assert httpx.post(f"{http}/rejections", json={"address": "a", "code": 200}).status_code == 400


def test_an_answer_is_lost_after_the_mail_was_kept(start):
    _, port, http = start("--lose-answers", "2")
    _send(port, _mail())
    with pytest.raises(smtplib.SMTPServerDisconnected):
        _send(port, _mail(subject="its answer is lost"))
    assert httpx.put(f"{http}/lost-answers", json={"every": 0}).json() == {"every": 0}
    _send(port, _mail())
    assert [mail["subject"] for mail in httpx.get(f"{http}/messages").json()][1] == "its answer is lost"
    assert len(httpx.get(f"{http}/messages").json()) == 3
    assert httpx.put(f"{http}/lost-answers", json={"every": -1}).status_code == 400


def test_bad_flags_and_busy_ports_are_named(start, tmp_path):
    _, port, http = start()
    command = [sys.executable, "-m", "local.smtp", "--data", str(tmp_path)]
    for flags, code, says in (
        (("--reject", "a=99"), 2, "'a=99' is not ADDRESS=CODE"),
        (("--port", str(port)), 1, f"Port {port} is in use. Stop what uses it or pass --port.\n"),
        (("--port", str(free_port()), "--http-port", http.rpartition(":")[2]), 1, "or pass --http-port.\n"),
    ):
        done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == code
        assert says in done.stderr


@pytest.fixture
async def app(monkeypatch):
    """An app that takes mails as it is told to; those that came, and its address."""
    came, answers = [], [200]

    async def take(request):
        came.append((request.query_params["sender"], request.headers["x-admin-key"], await request.body()))
        return PlainTextResponse("", answers[0])

    async with listening(Starlette(routes=[Route("/webhooks/mail", take, methods=["POST"])])) as port:
        monkeypatch.setenv("FOLLOWUPS_REPLY_TO", "Replies@example.com")
        monkeypatch.setenv("ADMIN_API_KEY", "the key")
        yield came, answers, f"http://127.0.0.1:{port}/webhooks/mail"


async def test_mails_to_the_apps_address_are_handed_over_and_no_others(start, app):
    came, answers, url = app
    _, port, http = await asyncio.to_thread(start, "--inbound", url)

    def send(to):
        with smtplib.SMTP("127.0.0.1", port) as relay:
            relay.send_message(_mail(to=to), from_addr="ann@example.com")

    await asyncio.to_thread(send, "replies@example.com")
    await asyncio.to_thread(send, "agent@example.com")
    [(sender, key, content)] = came
    assert (sender, key, b"It is done." in content) == ("ann@example.com", "the key", True)
    answers[0] = 503
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await asyncio.to_thread(send, "replies@example.com")
    assert refused.value.smtp_code == 451
    shown = await asyncio.to_thread(lambda: httpx.get(f"{http}/messages").json())
    assert [mail["recipients"] for mail in shown] == [["replies@example.com"], ["agent@example.com"]]


async def test_without_an_app_the_sender_has_to_come_again(start, app):
    _, port, _ = await asyncio.to_thread(start, "--inbound", f"http://127.0.0.1:{free_port()}/webhooks/mail")

    def send():
        with smtplib.SMTP("127.0.0.1", port) as relay:
            relay.send_message(_mail(to="replies@example.com"), from_addr="ann@example.com")

    with pytest.raises(smtplib.SMTPDataError):
        await asyncio.to_thread(send)
