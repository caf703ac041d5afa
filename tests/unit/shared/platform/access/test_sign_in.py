"""Operators who sign in with Entra, as App Service says it in the headers that it alone can set."""

import base64
import json

import azure.functions as func
import pytest

from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import ADMIN, ALL
from shared.platform.errors import Forbidden, Unauthenticated
from tests.fresh_settings import forget_settings


def principal(*roles, kind="roles"):
    claims = [{"typ": "name", "val": "Ada"}, *({"typ": kind, "val": role} for role in roles)]
    header = {"auth_typ": "aad", "claims": claims, "role_typ": "roles"}
    return base64.b64encode(json.dumps(header).encode()).decode()


def request(header=None, **more):
    headers = {"X-Requested-By": "console", "X-MS-CLIENT-PRINCIPAL-NAME": "ada@example.com"}
    if header is not None:
        headers["X-MS-CLIENT-PRINCIPAL"] = header
    return func.HttpRequest("GET", "/ops/runs", headers=headers | more, body=b"")


@pytest.fixture
def setting(monkeypatch):
    def set_to(value):
        monkeypatch.setenv("POSTGRES_DSN", "host=unused")
        monkeypatch.setenv("ADMIN_API_KEY", "s3cret")
        monkeypatch.setenv("OPERATOR_SIGN_IN", value)
        forget_settings()

    set_to("entra")
    yield set_to
    forget_settings()


@pytest.mark.parametrize("guard", [ADMIN, ApiKey("diamonds:read"), ApiKey(None)])
@pytest.mark.parametrize("kind", ["roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"])
async def test_an_operator_who_is_signed_in_may_do_everything_under_their_own_name(setting, guard, kind):
    caller = await guard.authenticate(request(principal("operator", kind=kind)))
    assert (caller.name, caller.permissions) == ("ada@example.com", {ALL})


async def test_the_admin_key_goes_on_working_for_automation(setting):
    assert (await ADMIN.authenticate(request(**{"X-Admin-Key": "s3cret"}))).name == "admin"
    with pytest.raises(Unauthenticated):
        await ADMIN.authenticate(request(principal("operator"), **{"X-Admin-Key": "wrong"}))


async def test_where_it_is_switched_off_the_headers_are_anybody_s_and_not_believed(setting):
    setting("none")
    with pytest.raises(Unauthenticated) as refusal:
        await ADMIN.authenticate(request(principal("operator")))
    assert refusal.value.code != "sign-in-needed"


async def test_where_app_service_says_that_it_checks_nothing_its_headers_are_not_believed(setting, monkeypatch):
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "False")
    forget_settings()
    with pytest.raises(Unauthenticated):
        await ADMIN.authenticate(request(principal("operator")))


@pytest.mark.parametrize(
    "header",
    [
        principal(),
        principal("reader"),
        principal("operator", kind="name"),
        "no base64",
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b'{"claims": [1]}').decode(),
        base64.b64encode(b"[" * 20_000 + b"]" * 20_000).decode(),
    ],
)
async def test_whoever_has_not_the_role_is_no_operator(setting, header):
    with pytest.raises(Forbidden) as refusal:
        await ADMIN.authenticate(request(header))
    assert refusal.value.code == "role-missing"


async def test_a_page_of_another_site_cannot_use_the_sign_in_of_a_browser(setting):
    """It can make the browser send the sign-in along, but no header of its own."""
    with pytest.raises(Unauthenticated) as refusal:
        await ADMIN.authenticate(request(principal("operator"), **{"X-Requested-By": ""}))
    assert refusal.value.code == "sign-in-needed"


async def test_who_is_not_signed_in_is_told_where_to(setting):
    with pytest.raises(Unauthenticated, match=r"Sign in at /\.auth/login/aad") as refusal:
        await ADMIN.authenticate(request())
    assert refusal.value.code == "sign-in-needed"
