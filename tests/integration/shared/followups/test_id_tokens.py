"""Tokens that others sign: a forged one is refused, and keys are fetched when they are needed."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from local.providers.identity import Identity
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.conftest import GOOGLE_CLIENT, credential

LONG_AGO = datetime.now(UTC) - timedelta(hours=2)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another.apps.googleusercontent.com"},
        {"aud": [], "azp": GOOGLE_CLIENT},
        {"iss": "https://accounts.google.com.evil.example"},
        {"iss": None},
        {"exp": LONG_AGO},
        {"exp": None},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
        {"email": None},
        {"email": "no address"},
        {"email": "a@example.com\nBcc: b@example.com"},
        {"sub": None},
    ],
)
async def test_a_token_that_is_not_googles_for_us_signs_nobody_in(web, google, crm, changed):
    await web("POST", "/api/agents/google", credential(google, **changed), status=401)
    assert await crm.fetch("select from followups.agents") == []


async def test_forged_tokens_sign_nobody_in(web, google, crm):
    stranger = Identity()
    good = credential(google)["credential"]
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    public = google.keys["first"].public_key()
    shared = jwt.encode(claims, str(public.public_numbers().n), "HS256", headers={"kid": "first"})
    unsigned = jwt.encode(claims, "", "none", headers={"kid": "first"})
    other_body = credential(google, sub="1")["credential"].split(".")[1]
    for forged in (
        credential(stranger)["credential"], f"{head}.{other_body}.{signature}", f"{head}.{body}.", shared, unsigned,
        "nonsense", "a.b.c", "é" * 50,
    ):  # fmt: skip
        await web("POST", "/api/agents/google", {"credential": forged}, status=401)
    assert await crm.fetch("select from followups.agents") == []


async def test_keys_that_cannot_be_read_are_a_failure_of_the_moment(web, google, monkeypatch):
    monkeypatch.setenv("GOOGLE_KEYS_URL", "http://127.0.0.1:9/certs")
    forget_settings()
    await web("POST", "/api/agents/google", credential(google), status=503)
