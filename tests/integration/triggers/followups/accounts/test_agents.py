"""Agents register, sign in and change themselves."""

from shared.followups.people import passwords
from shared.platform.access.failed_attempts import ACCOUNT_BURST, failed_attempts
from shared.platform.settings import forget_settings


async def test_an_agent_registers_signs_in_and_changes_itself(web, crm):
    agent = await web.register("Alice@Example.com", time_zone="Europe/Amsterdam")
    assert (agent["email"], agent["time_zone"], agent["send_mode"]) == (
        "alice@example.com",
        "Europe/Amsterdam",
        "approve",
    )
    [stored] = await crm.fetch("select password_hash from followups.agents")
    assert "password" not in stored["password_hash"]
    login = {"email": " ALICE@example.com", "password": "a long password"}
    web.token = (await web("POST", "/api/agents/login", login))["access_token"]
    changed = await web("PATCH", "/api/agents/me", {"send_mode": "automatic", "phone": "1"})
    assert (changed["send_mode"], changed["phone"], changed["name"]) == ("automatic", "1", "Alice Agent")
    assert (await web("GET", "/api/agents/me")) == changed
    assert (await web("POST", "/api/agents/me/pause"))["paused_at"]
    assert (await web("POST", "/api/agents/me/resume"))["paused_at"] is None


async def test_registration_needs_the_operator_unless_it_is_open(web, monkeypatch):
    given = {"email": "a@example.com", "password": "a long password", "name": "A"}
    await web("POST", "/api/agents/register", given, status=401)
    monkeypatch.setenv("FOLLOWUPS_OPEN_REGISTRATION", "true")
    forget_settings()
    await web("POST", "/api/agents/register", given, status=201)
    await web("POST", "/api/agents/register", given, status=409)
    await web("POST", "/api/agents/register", {**given, "email": "b@example.com", "password": "short"}, status=422)


async def test_wrong_passwords_unknown_agents_and_inactive_ones_look_alike_and_are_slowed_down(web, crm, monkeypatch):
    await web.register()
    wrong = {"email": "alice@example.com", "password": "wrong"}
    first = await web("POST", "/api/agents/login", wrong, status=401)
    second = await web("POST", "/api/agents/login", {**wrong, "email": "nobody@example.com"}, status=401)
    await crm.execute("update followups.agents set is_active = false")
    third = await web("POST", "/api/agents/login", {**wrong, "password": "a long password"}, status=401)
    assert {one["detail"] for one in (first, second, third)} == {first["detail"]}
    await web("GET", "/api/agents/me", status=403)
    monkeypatch.setattr(failed_attempts._accounts, "clock", lambda: 0.0)
    failed_attempts.forget()
    for _ in range(ACCOUNT_BURST):
        await web("POST", "/api/agents/login", wrong, status=401)
    await web("POST", "/api/agents/login", wrong, status=429)


async def test_a_password_is_matched_by_its_own_hash_alone():
    stored = await passwords.hashed("one password")
    assert stored != await passwords.hashed("one password")
    assert await passwords.matches("one password", stored)
    assert not await passwords.matches("another password", stored)
    assert not await passwords.matches("one password", None)
