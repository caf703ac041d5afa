from types import SimpleNamespace

import azure.functions as func
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.platform.access import auth, sign_in
from shared.platform.access.auth import ADMIN, PUBLIC, Caller
from shared.platform.access.failed_attempts import BURST
from shared.platform.errors import Forbidden, RateLimited, Unauthenticated
from tests.fresh_attempts import forget_attempts


def request(**headers):
    return func.HttpRequest("GET", "/ops/runs", headers=headers, body=b"")


@pytest.fixture
def key(monkeypatch):
    def set_key(value):
        found = SimpleNamespace(admin_api_key=None if value is None else SecretStr(value))
        monkeypatch.setattr(auth, "settings", lambda: found)

    monkeypatch.setattr(sign_in, "settings", lambda: SimpleNamespace(operator_sign_in="none"))
    set_key("s3cret")
    return set_key


async def test_the_key_opens(key):
    assert (await ADMIN.authenticate(request(**{"X-Admin-Key": "s3cret"}))).name == "admin"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text().filter(lambda text: text != "s3cret"))
async def test_any_other_key_does_not(key, wrong):
    forget_attempts()  # each example is as the first
    with pytest.raises(Unauthenticated) as refusal:
        await ADMIN.authenticate(request(**{"X-Admin-Key": wrong}))
    assert "s3cret" not in str(refusal.value)


async def test_without_a_key_set_nobody_is_let_in(key):
    key(None)
    for headers in ({}, {"X-Admin-Key": ""}, {"X-Admin-Key": "None"}):
        with pytest.raises(Forbidden, match="ADMIN_API_KEY"):
            await ADMIN.authenticate(request(**headers))


async def test_public_lets_everyone_in():
    assert (await PUBLIC.authenticate(request())).permissions == frozenset()
    assert not PUBLIC.schemes


async def test_the_operator_may_do_everything_and_others_what_they_were_granted(key):
    operator = await ADMIN.authenticate(request(**{"X-Admin-Key": "s3cret"}))
    client = Caller("acme", frozenset({"diamonds:read"}))
    assert operator.may("diamonds:trade")
    assert client.may("diamonds:read")
    assert not client.may("diamonds:trade")
    assert not Caller("anonymous").may("diamonds:read")


async def test_wrong_admin_keys_are_slowed_and_missing_ones_are_not_counted(key):
    for _ in range(2 * BURST):
        with pytest.raises(Unauthenticated):
            await ADMIN.authenticate(request())
    for _ in range(BURST):
        with pytest.raises(Unauthenticated):
            await ADMIN.authenticate(request(**{"X-Admin-Key": "guess"}))
    with pytest.raises(RateLimited):
        await ADMIN.authenticate(request(**{"X-Admin-Key": "s3cret"}))
