"""What is signed is what the system being replaced signed, and no two requests are signed alike."""

import hmac
from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.platform.access.api_keys.signatures import Signed, matches, message, sign

texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
requests = st.tuples(texts, texts, texts, st.binary(max_size=20))


def test_a_known_signature():
    text = message("POST", "/api/v2/diamonds/7/hold", "1700000000", b'{"minutes":5}')
    body = sha256(b'{"minutes":5}').hexdigest()
    assert text.decode() == f"POST\n/api/v2/diamonds/7/hold\n1700000000\n{body}"
    assert sign(b"secret", text) == hmac.digest(b"secret", text, "sha256")


@given(requests, requests)
def test_different_requests_have_different_messages(one, other):
    assume(one != other)
    assert message(*one) != message(*other)


@given(st.binary(min_size=32, max_size=64), st.lists(st.binary(min_size=32, max_size=64), max_size=2), requests)
def test_only_the_clients_secrets_match(secret, secrets, request):
    text = message(*request)
    signed = Signed("acme", 0, sign(secret, text), (b"something else", text), bytes(32))
    assert matches(signed, secrets) is any(hmac_key(one) == hmac_key(secret) for one in secrets)
    assert matches(signed, [*secrets, secret][-2:])


def hmac_key(secret):
    """Secrets that differ in trailing zeros alone are one key to HMAC."""
    return secret.ljust(64, b"\0")


@given(st.lists(st.binary(min_size=32, max_size=64), max_size=2))
def test_what_is_no_signature_matches_nothing(secrets):
    assert not matches(Signed("acme", 0, bytes(32), (b"text",), bytes(32)), secrets)
