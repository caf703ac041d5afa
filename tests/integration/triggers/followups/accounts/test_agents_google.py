"""Sign-in with Google: by tokens that are really signed, and never into an account that is somebody else's."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from local.arm.servers import listening
from local.providers.identity import Identity
from shared.followups import id_tokens
from tests.fresh_settings import forget_settings

CLIENT = "123-abc.apps.googleusercontent.com"
LONG_AGO = datetime.now(UTC) - timedelta(hours=2)


@pytest.fixture
async def google(web, monkeypatch):
    """The stand-in of Google's keys; registration is open."""
    found = Identity()
    monkeypatch.setattr(id_tokens, "_keys_by_url", {})
    async with listening(found.app()) as port:
        monkeypatch.setenv("GOOGLE_KEYS_URL", f"http://127.0.0.1:{port}/certs")
        monkeypatch.setenv("GOOGLE_CLIENT_ID", CLIENT)
        monkeypatch.setenv("FOLLOWUPS_OPEN_REGISTRATION", "true")
        forget_settings()
        yield found


def credential(identity, **changed):
    claims = {"iss": "https://accounts.google.com", "aud": CLIENT, "azp": CLIENT, "sub": "110169484474386276334"}
    claims |= {"email": "Alice@Example.com", "email_verified": True, "name": "Alice  Agent", **changed}
    return {"credential": identity.token(**claims)}


async def test_the_first_time_makes_an_agent_and_the_next_signs_the_same_in(web, google, crm):
    first = await web("POST", "/api/agents/google", credential(google))
    again = await web("POST", "/api/agents/google", credential(google, email="new@example.com"))
    assert first["agent"]["id"] == again["agent"]["id"], "the number counts, not the address"
    assert (first["agent"]["email"], first["agent"]["name"]) == ("alice@example.com", "Alice Agent")
    assert first["agent"]["auth_provider"] == "google"
    web.token = again["access_token"]
    assert (await web("GET", "/api/agents/me"))["email"] == "alice@example.com"
    login = {"email": "alice@example.com", "password": ""}
    await web("POST", "/api/agents/login", login, status=401)
    assert (await crm.fetch("select password_hash from followups.agents"))[0]["password_hash"] is None


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another.apps.googleusercontent.com"},
        {"aud": [], "azp": CLIENT},
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


async def test_an_account_with_a_password_is_linked_by_its_owner_alone(web, google, crm):
    """Whoever entered the address here first, and knows a password, gets nothing of its owner's sign-in."""
    await web.register("alice@example.com")
    refused = await web("POST", "/api/agents/google", credential(google), status=409)
    assert refused["code"] == "link-first"
    assert (await crm.fetch("select google_sub from followups.agents"))[0]["google_sub"] is None
    for _ in range(2):
        await web("POST", "/api/agents/me/google", credential(google))
    session = await web("POST", "/api/agents/google", credential(google))
    assert session["agent"]["auth_provider"] == "email"
    login = {"email": "alice@example.com", "password": "a long password"}
    assert (await web("POST", "/api/agents/login", login))["agent"]["id"] == session["agent"]["id"]


async def test_an_agent_has_one_account_and_an_account_one_agent(web, google):
    await web.register("alice@example.com")
    await web("POST", "/api/agents/me/google", credential(google))
    await web("POST", "/api/agents/me/google", credential(google, sub="2"), status=409)
    await web.register("bob@example.com")
    await web("POST", "/api/agents/me/google", credential(google), status=409)
    web.token = None
    await web("POST", "/api/agents/me/google", credential(google, sub="3"), status=401)


async def test_an_agent_who_is_not_active_and_a_stranger_while_registration_is_closed_are_refused(
    web, google, crm, monkeypatch
):
    await web("POST", "/api/agents/google", credential(google))
    await crm.execute("update followups.agents set is_active = false")
    await web("POST", "/api/agents/google", credential(google), status=401)
    monkeypatch.setenv("FOLLOWUPS_OPEN_REGISTRATION", "false")
    forget_settings()
    stranger = credential(google, sub="9", email="s@example.com")
    assert (await web("POST", "/api/agents/google", stranger, status=403))["code"] == "registration-closed"
    monkeypatch.setenv("GOOGLE_CLIENT_ID", "")
    forget_settings()
    answer = await web("POST", "/api/agents/google", credential(google), status=403)
    assert answer["code"] == "sign-in-not-configured"


async def test_keys_that_cannot_be_read_are_a_failure_of_the_moment(web, google, monkeypatch):
    monkeypatch.setenv("GOOGLE_KEYS_URL", "http://127.0.0.1:9/certs")
    forget_settings()
    await web("POST", "/api/agents/google", credential(google), status=503)
