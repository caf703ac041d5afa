"""Sign-in with Google: by tokens that are really signed, and never into an account that is somebody else's."""

from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.conftest import credential


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
