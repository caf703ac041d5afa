"""The guards of accounts: which tokens are looked at, and who may register."""

import azure.functions as func
import pytest

from shared.platform.access.accounts import BearerToken, Registration
from shared.platform.access.auth import ADMIN, Caller
from shared.platform.errors import Forbidden, Unauthenticated
from tests.fresh_settings import forget_settings


def request(**headers: str) -> func.HttpRequest:
    return func.HttpRequest("GET", "/api/me", headers=headers, body=b"")


async def _caller(token: str, request: func.HttpRequest) -> Caller:
    return Caller(f"{token} at {request.url}")


GUARD = BearerToken("UserToken", "user", _caller)


@pytest.mark.parametrize("sent", ["Bearer abc", "bearer abc", "BEARER  abc ", "Bearer abc\t"])
async def test_the_token_is_handed_on_whatever_surrounds_it(sent: str) -> None:
    assert (await GUARD.authenticate(request(Authorization=sent))).name == "abc at /api/me"


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Basic abc", "abc"])
async def test_without_a_token_nobody_is_let_in(sent: str) -> None:
    with pytest.raises(Unauthenticated, match="which user is calling"):
        await GUARD.authenticate(request(Authorization=sent))


async def test_registration_is_the_operators_until_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_DSN", "-")
    monkeypatch.delenv("ADMIN_API_KEY", raising=False)
    forget_settings()
    is_open = False
    guard = Registration(lambda: is_open)
    assert guard.schemes == ADMIN.schemes
    with pytest.raises(Forbidden):
        await guard.authenticate(request())
    is_open = True
    assert not guard.schemes
    assert (await guard.authenticate(request())).name == "anonymous"
