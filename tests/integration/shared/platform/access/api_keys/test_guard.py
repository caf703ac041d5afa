"""Who is let in by key or signature, and that nobody else is."""

import time
from hashlib import sha256

import pytest

from shared.platform.access.api_keys import ApiKey, signatures
from shared.platform.access.auth import Caller
from shared.platform.access.failed_attempts import BURST
from shared.platform.errors import Forbidden, RateLimited, Unauthenticated
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.integration.shared.platform.access.api_keys.conftest import GUARD, PATH, URL, fetch, notice, request, signed


async def test_a_key_lets_its_client_in(key):
    caller = await GUARD.authenticate(request(X_API_Key=key))
    assert isinstance(caller, Caller)
    assert (caller.name, caller.organization, caller.permissions) == ("acme", "org-1", {"diamonds:read"})
    assert key.startswith("mf_")
    assert len(key) > 40


async def test_the_key_is_stored_nowhere(key):
    everything = str(await fetch("select api_keys::text from platform.api_keys"))
    assert key not in everything
    assert sha256(key.encode()).hexdigest() in everything


@pytest.mark.parametrize("wrong", ["", "mf_", "x" * 46, "é", "\U0001f48e", "mf_" + "A" * 10_000])
async def test_another_key_lets_nobody_in(key, wrong):
    with pytest.raises(Unauthenticated):
        await GUARD.authenticate(request(X_API_Key=wrong))
    with pytest.raises(Unauthenticated):
        await GUARD.authenticate(request(X_API_Key=key[:-1] + ("A" if key[-1] != "A" else "B")))


async def test_the_permission_is_needed(key):
    with pytest.raises(Forbidden, match="deploys:write"):
        await ApiKey("deploys:write").authenticate(request(X_API_Key=key))


async def test_a_signature_lets_its_client_in(secret):
    assert (await GUARD.authenticate(signed(secret))).name == "acme"
    body = b'{"minutes": 5}'
    assert (await GUARD.authenticate(signed(secret, "POST", body=body))).name == "acme"


async def test_the_query_may_be_signed_too_and_is_then_covered(secret):
    with_query = f"{PATH}?shape=ROUND"
    await GUARD.authenticate(signed(secret, path=with_query))
    for url in (URL.replace("ROUND", "OVAL"), f"http://localhost{PATH}"):
        with pytest.raises(Unauthenticated):
            await GUARD.authenticate(signed(secret, "PUT", url=url, path=with_query))


async def test_a_replayed_signature_is_refused_on_every_instance(secret):
    once = signed(secret)
    await GUARD.authenticate(once)
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refused:
            await GUARD.authenticate(once)
        assert refused.value.code == "signature-replayed"
        notice()
    upper = request(
        X_Client_Id="acme", X_Timestamp=once.headers["X-Timestamp"], X_Signature=once.headers["X-Signature"].upper()
    )
    with pytest.raises(Unauthenticated):
        await GUARD.authenticate(upper)


async def test_signatures_are_forgotten_once_the_clock_refuses_them(secret):
    async with database() as db:
        await db.execute(
            "insert into platform.seen_signatures values ('acme', %s, now() - interval '1 second')", (bytes(32),)
        )
    await GUARD.authenticate(signed(secret))
    kept = await fetch("select extract(epoch from expires_at - now()) from platform.seen_signatures")
    assert len(kept) == 1
    assert 290 <= kept[0][0] <= 300


@pytest.mark.parametrize("seconds", [-310, 310, -(10**10)])
async def test_a_clock_too_far_off_is_refused(secret, seconds):
    with pytest.raises(Unauthenticated) as refused:
        await GUARD.authenticate(signed(secret, at=max(int(time.time()) + seconds, 0)))
    assert refused.value.code == "signature-expired"
    assert await fetch("select * from platform.seen_signatures") == []


@pytest.mark.parametrize("seconds", [-290, 290])
async def test_a_clock_within_the_window_is_accepted(secret, seconds):
    await GUARD.authenticate(signed(secret, at=int(time.time()) + seconds))


@pytest.mark.parametrize("at", ["", "now", "1.5", "-5", "9" * 13, "\u0661"])
async def test_an_unreadable_time_is_refused(secret, at):
    with pytest.raises(Unauthenticated) as refused:
        await GUARD.authenticate(request(X_Client_Id="acme", X_Timestamp=at, X_Signature="0" * 64))
    assert refused.value.code == "signature-timestamp"


async def test_anything_else_signed_is_refused_and_nothing_is_remembered(secret):
    wrong = [
        signed("another secret"),
        signed(secret, client="unknown"),
        signed("x" * 32, client="nograant"),
        signed(secret, method="POST", body=b"one", body_sent=b"two"),
        signed(secret, path="/api/v2/diamonds/1"),
        request(X_Client_Id="acme", X_Timestamp=str(int(time.time())), X_Signature="zz"),
        request(X_Client_Id="acme", X_Timestamp=str(int(time.time()))),
    ]
    messages = set()
    for one in wrong:
        with pytest.raises(Unauthenticated) as refused:
            await GUARD.authenticate(one)
        messages.add(str(refused.value))
    assert len(messages) == 1  # it does not tell a known client from an unknown one
    assert await fetch("select * from platform.seen_signatures") == []


@pytest.mark.parametrize("client", ["acme", "unknown", "nograant"])
async def test_an_unknown_client_takes_the_same_work(secret, monkeypatch, client):
    tried = []
    monkeypatch.setattr(signatures, "sign", lambda key, text: tried.append(key) or bytes(31) + b"1")
    at = str(int(time.time()))
    with pytest.raises(Unauthenticated):
        await GUARD.authenticate(request(X_Client_Id=client, X_Timestamp=at, X_Signature="0" * 64))
    assert len(tried) == 4


async def test_both_secrets_work_while_one_is_replaced(secret, monkeypatch):
    new = "n" * 40
    monkeypatch.setenv("HMAC_SECRETS", f'{{"acme": ["{new}", "{secret}"]}}')
    forget_settings()
    await GUARD.authenticate(signed(secret))
    await GUARD.authenticate(signed(new))


async def test_a_revoked_signer_is_refused_though_the_secret_is_still_set(command, secret):
    assert (await command("revoke", "--client", "acme"))[0] == 0
    with pytest.raises(Unauthenticated):
        await GUARD.authenticate(signed(secret))


async def test_a_key_does_not_make_its_client_a_signer(command, key, monkeypatch):
    monkeypatch.setenv("HMAC_SECRETS", f'{{"acme": "{"s" * 32}"}}')
    forget_settings()
    with pytest.raises(Unauthenticated):
        await GUARD.authenticate(signed("s" * 32))


async def test_different_queries_may_be_signed_alike_and_each_is_good_once(secret):
    at = int(time.time())
    asked = [signed(secret, url=f"http://localhost{PATH}?shape={shape}", at=at) for shape in ("ROUND", "OVAL", "PEAR")]
    assert len({one.headers["X-Signature"] for one in asked}) == 1
    for one in asked:
        assert (await GUARD.authenticate(one)).name == "acme"
    for one in asked:
        with pytest.raises(Unauthenticated, match="received before"):
            await GUARD.authenticate(one)


async def test_wrong_keys_and_signatures_of_one_address_are_slowed(key, secret):
    for number in range(BURST):
        wrong = request(X_API_Key=f"mf_{number}") if number % 2 else signed("w" * 40)
        with pytest.raises(Unauthenticated):
            await GUARD.authenticate(wrong)
    for presented in (request(X_API_Key=key), signed(secret)):
        with pytest.raises(RateLimited):
            await GUARD.authenticate(presented)
    elsewhere = request(X_API_Key=key, X_Forwarded_For="203.0.113.9:4")
    assert (await GUARD.authenticate(elsewhere)).name == "acme"


async def test_a_repeated_request_is_refused_and_does_not_slow_its_client(secret):
    once = signed(secret)
    await GUARD.authenticate(once)
    for _ in range(BURST + 1):
        with pytest.raises(Unauthenticated, match="received before"):
            await GUARD.authenticate(once)


async def test_a_guard_without_a_permission_lets_every_client_in_and_nobody_else(key):
    anyone = ApiKey(None)
    caller = await anyone.authenticate(request(X_API_Key=key))
    assert (caller.name, caller.permissions, caller.organization) == ("acme", {"diamonds:read"}, "org-1")
    for refused in (request(), request(X_API_Key="mf_wrong")):
        with pytest.raises(Unauthenticated):
            await anyone.authenticate(refused)
