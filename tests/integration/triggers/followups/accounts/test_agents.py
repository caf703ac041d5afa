"""Agents register, sign in and change themselves."""

import hashlib
import json

from shared.followups.people import agents
from shared.platform.access.failed_attempts import ACCOUNT_BURST, failed_attempts
from shared.platform.access.passwords.kinds import CURRENT, Cost
from tests.fresh_attempts import forget_attempts
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.conftest import SECRET


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
    await web("POST", "/api/agents/register", given)
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
    forget_attempts()
    for _ in range(ACCOUNT_BURST):
        await web("POST", "/api/agents/login", wrong, status=401)
    await web("POST", "/api/agents/login", wrong, status=429)


def scrypt(password):
    """A hash as agents had it before argon2id."""
    salt = bytes(16)
    found = hashlib.scrypt(password.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=64 << 20, dklen=32)
    return f"scrypt$32768$8$1${salt.hex()}${found.hex()}"


async def test_an_old_hash_is_replaced_when_its_owner_signs_in_and_sessions_go_on(web, crm):
    await web.register()
    await web.register("bob@example.com")
    await crm.execute(
        "update followups.agents set password_hash = %s where email = 'alice@example.com'", scrypt("a long password")
    )
    costs = await agents.password_costs()
    assert costs == {Cost("scrypt", (2**15, 8, 1)): 1, CURRENT: 1}
    login = {"email": "alice@example.com", "password": "a long password"}
    await web("POST", "/api/agents/login", {**login, "password": "another password"}, status=401)
    assert await agents.password_costs() == costs
    web.token = (await web("POST", "/api/agents/login", login))["access_token"]
    assert await agents.password_costs() == {CURRENT: 2}
    await web("GET", "/api/agents/me")
    await web("POST", "/api/agents/login", login)


async def test_without_a_password_nobody_signs_in_with_one(web, crm):
    await web.register()
    await crm.execute("update followups.agents set password_hash = null, google_sub = '1', auth_provider = 'google'")
    for password in ("", "a long password"):
        await web("POST", "/api/agents/login", {"email": "alice@example.com", "password": password}, status=401)


async def test_a_key_is_replaced_without_signing_anybody_out(web, monkeypatch):
    await web.register()
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", json.dumps(["n" * 32, SECRET]))
    forget_settings()
    await web("GET", "/api/agents/me")
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", "n" * 32)
    forget_settings()
    await web("GET", "/api/agents/me", status=401)
