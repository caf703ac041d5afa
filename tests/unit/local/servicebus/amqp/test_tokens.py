import base64
import hashlib
import hmac
from urllib.parse import quote

import pytest

from local.servicebus.amqp.tokens import refusal

NOW = 1_800_000_000


def token(key: str = "secret", expiry: int = NOW + 60) -> str:
    resource = quote("sb://localhost:5672/consolidate", safe="")
    digest = hmac.new(key.encode(), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = quote(base64.b64encode(digest), safe="")
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn=Root"


def test_a_token_of_the_key_is_accepted():
    assert refusal(token(), "secret", NOW) is None


def test_without_a_key_any_signature_is_accepted():
    assert refusal(token("whatever"), None, NOW) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (token("other"), "signature"),
        (token(expiry=NOW), "expired"),
        (token().replace("localhost", "elsewhere"), "signature"),
        (token().replace(f"se={NOW + 60}", f"se={NOW + 61}"), "signature"),
        (token().replace("&skn=Root", ""), "skn"),
        (token().replace(f"se={NOW + 60}", "se=soon"), "expiry"),
        ("eyJhbGciOi", "SharedAccessSignature"),
    ],
)
def test_other_tokens_are_refused_with_the_reason(given, reason):
    assert reason in (refusal(given, "secret", NOW) or "")
