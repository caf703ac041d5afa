"""What `make demo` plays, and how it judges the mails of its act."""

import sys
from collections import Counter
from email.message import EmailMessage

import pytest

from local.demo import __main__ as demo
from local.demo.client import DemoFailed
from local.demo.followups_books import Books, check
from local.up import Ports


def mail(status="completed", key: str | None = "k", state: str | None = "sent"):
    return {"task": 1, "step": "Day 1", "status": status, "key": key, "state": state}


def test_an_act_that_there_is_not_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demo", "opera"])
    with pytest.raises(SystemExit):
        demo.main()
    assert "there is no act opera; there are diamonds, deploys, followups" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "state", "times"),
    [
        ("completed", "sent", 2),
        ("completed", "sent", 0),
        ("completed", "unknown", 0),
        ("pending", "unknown", 1),
        ("skipped", None, 1),
        ("cancelled", "cancelled", 1),
    ],
)
def test_a_mail_that_is_there_twice_or_not_at_all_fails_the_demo(status, state, times):
    known = mail("cancelled", "late")  # it was cancelled before somebody learned that it was sent
    kept = mail("cancelled", "other", "cancelled")
    check([mail(), mail("skipped", None, None), kept, known], Counter(k=1, late=1))
    with pytest.raises(DemoFailed, match=f"task 1 .* the sink has it {times} times"):
        check([mail(status, state=state)], Counter(k=times))


def test_only_the_mails_of_this_demo_are_counted(tmp_path):
    for number, (to, key) in enumerate([("a@now.example.com", "k1"), ("a@now.example.com", "k1"), ("b@x.com", "k2")]):
        message = EmailMessage()
        message["X-Envelope-To"], message["Message-ID"] = to, f"<{key}@example.com>"
        (tmp_path / f"{number}.eml").write_bytes(message.as_bytes())
    assert Books("", 1, tmp_path, "now.example.com").delivered() == Counter(k1=2)


def test_the_demo_ends_with_addresses_that_answer_once_its_data_are_started_again():
    lines = demo._next(["diamonds", "papers"])
    assert "`MANIFOLD_LOCAL_DIR=.local/demo make up` starts them again" in lines[1]
    assert f"http://127.0.0.1:{Ports().host}/console/map.html" in lines[-2]
    assert lines[-1].endswith(str(demo.FOLDER / "papers-map.png"))
    assert not any("map" in line for line in demo._next(["diamonds"]))
