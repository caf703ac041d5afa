"""What mailboxes ask of a sender's domain, and what is said of each thing that is wrong."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.sending.domain.alignment import Records, Sender, included, problems

KEY = base64.b64encode(b"k" * 162).decode()
SENDER = Sender("mail.example.com", "send.mail.example.com", ("resend",), "amazonses.com")
DKIM = "resend._domainkey.mail.example.com"
DMARC = "_dmarc.example.com"
SPF = "send.mail.example.com"


def found(*, sender=SENDER, spf=None, **texts):
    names = {"dkim": DKIM, "dmarc": DMARC, "dmarc_below": "_dmarc.mail.example.com"}
    given_ = {DKIM: [f"p={KEY}"], DMARC: ["v=DMARC1; p=none"]}
    given_ |= {names[name]: value for name, value in texts.items()}
    spf_ = {SPF: ["v=spf1 include:amazonses.com ~all"], "amazonses.com": ["v=spf1 ip4:199.255.192.0/22 -all"]}
    return "; ".join(problems(sender, Records(given_, spf_ if spf is None else spf)))


def test_a_domain_that_is_ready_has_no_problems():
    assert found() == ""
    assert found(dkim=["v=DKIM1; k=rsa; p=" + KEY[:40] + " " + KEY[40:]]) == ""
    assert found(dkim=["k=ed25519; p=" + base64.b64encode(b"e" * 32).decode()]) == ""
    assert found(dmarc_below=["v=DMARC1;p=reject"], dmarc=[]) == ""


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"spf": {}}, "has no SPF record"),
        ({"spf": {SPF: ["other text"]}}, "has no SPF record"),
        ({"spf": {SPF: ["v=spf1 -all", "v=spf1 ~all"]}}, "2 SPF records"),
        ({"spf": {SPF: ["v=spf1 include:amazonses.com +all"], "amazonses.com": []}}, "lets everybody send"),
        ({"spf": {SPF: ["v=spf1 include:amazonses.com all"], "amazonses.com": []}}, "lets everybody send"),
        ({"spf": {SPF: ["v=spf1 include:other.example ~all"], "other.example": []}}, "add include:amazonses.com"),
        ({"spf": {SPF: ["v=spf1 " + "a mx " * 5 + "include:amazonses.com -all"], "amazonses.com": []}}, "more than 10"),
        ({"dkim": []}, "has no DKIM key"),
        ({"dkim": ["v=DKIM1; p="]}, "withdrawn"),
        ({"dkim": ["v=DKIM1; p=***"]}, "cannot be read or is too short"),
        ({"dkim": ["p=" + base64.b64encode(b"k" * 94).decode()]}, "cannot be read or is too short"),
        ({"dmarc": []}, "no DMARC record"),
        ({"dmarc": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "2 DMARC records"),
        ({"dmarc": ["v=DMARC1; p=maybe"]}, "no policy"),
        ({"dmarc": ["v=spf1 -all"]}, "no DMARC record"),
    ],
)
def test_each_thing_that_is_wrong_is_named(changed, problem):
    assert problem in found(**changed)


def test_an_include_of_an_include_is_found():
    nested = {SPF: ["v=spf1 include:_spf.example.com ~all"], "_spf.example.com": ["v=spf1 include:amazonses.com ~all"]}
    assert found(spf=nested | {"amazonses.com": []}) == ""
    assert included("v=spf1 ?include:a.example redirect=b.example -all") == ["a.example", "b.example"]


def test_without_a_key_spf_must_speak_for_the_domain():
    elsewhere = Sender("mail.example.com", "bounces.provider.example", ("resend",))
    spf = {"bounces.provider.example": ["v=spf1 -all"]}
    assert "neither SPF nor DKIM" in found(sender=elsewhere, spf=spf, dkim=[])
    assert "neither" not in found(dkim=[])
    assert "neither" in found(dkim=[], dmarc=["v=DMARC1; p=none; aspf=s"])


def test_with_a_return_path_of_the_providers_own_dkim_alone_counts():
    own = Sender("mail.example.com", "", ("resend",))
    assert found(sender=own, spf={}) == ""
    assert "neither SPF nor DKIM" in found(sender=own, spf={}, dkim=[])
    assert "FOLLOWUPS_DKIM_SELECTORS" in found(sender=Sender("mail.example.com", "", ()))


def test_no_policy_is_looked_for_at_a_top_level_domain():
    assert Sender("a.example.com", "", ()).dmarc_names == ("_dmarc.a.example.com", "_dmarc.example.com")
    assert Sender("localhost", "", ()).dmarc_names == ("_dmarc.localhost",)


@given(st.text(max_size=200))
def test_any_text_can_be_judged(text):
    assert isinstance(found(dkim=[f"p={text}"], dmarc=[text], spf={SPF: [f"v=spf1 {text}"]}), str)
