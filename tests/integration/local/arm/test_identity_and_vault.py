"""The stand-ins around the resource manager are strict where Azure is: who may have a token, and what a token opens."""

import ssl

import httpx
import pytest

from local.arm.cloud import APP_CLIENT_ID, CLIENT_ID, DOMAIN, PROVIDERS, Cloud
from local.arm.servers import serving
from local.arm.vault import AUDIENCE

V_TOKEN, V_SECRET = {"api-version": "2019-08-01"}, {"api-version": "7.4"}
SECRET = "/_vault/secrets/env-1"


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
async def served(cloud, tmp_path):
    async with serving(cloud, tmp_path) as found:
        yield found


@pytest.fixture
async def http(served):
    async with httpx.AsyncClient(base_url=served.endpoint, trust_env=False) as client:
        yield client


async def token(http, cloud, **changes):
    query = {**V_TOKEN, "resource": AUDIENCE, "client_id": CLIENT_ID, **changes}
    return await http.get("/_identity/token", params=query, headers={"X-IDENTITY-HEADER": cloud.signature})


async def test_a_token_is_given_to_the_app_for_one_service(http, cloud):
    given = (await token(http, cloud)).json()
    assert (given["resource"], given["token_type"], given["client_id"]) == (AUDIENCE, "Bearer", CLIENT_ID)
    assert given["access_token"] != (await token(http, cloud, resource="https://other")).json()["access_token"]


async def test_the_app_s_own_identity_opens_nothing_of_the_deployed_apps(http, cloud, served):
    assert served.environment["AZURE_CLIENT_ID"] == APP_CLIENT_ID
    assert served.environment["AZURE_DEPLOYER_CLIENT_ID"] == CLIENT_ID
    for resource, path, version in (
        (AUDIENCE, SECRET, V_SECRET),
        (served.endpoint, f"{PROVIDERS}/Microsoft.App/containerApps/shop", {"api-version": "2025-01-01"}),
    ):
        given = (await token(http, cloud, resource=resource, client_id=APP_CLIENT_ID)).json()["access_token"]
        answer = await http.get(path, params=version, headers={"Authorization": f"Bearer {given}"})
        assert answer.status_code == 401


async def test_who_cannot_prove_to_be_the_app_gets_no_token(http, cloud):
    query = {**V_TOKEN, "resource": AUDIENCE, "client_id": CLIENT_ID}
    assert (await http.get("/_identity/token", params=query)).status_code == 401
    for change in ({"client_id": "another"}, {"resource": ""}, {"api-version": "2017-09-01"}):
        assert (await token(http, cloud, **change)).status_code == 400


async def test_a_vault_keeps_secrets_for_who_has_a_token_for_vaults(http, cloud, served):
    mine = {"Authorization": f"Bearer {cloud.token(AUDIENCE)}"}
    others = {"Authorization": f"Bearer {cloud.token(served.endpoint)}"}
    body = {"value": "canary", "contentType": "application/json"}
    assert (await http.put(SECRET, params=V_SECRET, json=body, headers=others)).status_code == 401
    assert (await http.put(SECRET, json=body, headers=mine)).status_code == 400
    assert (await http.get(SECRET, params=V_SECRET, headers=mine)).status_code == 404
    assert (await http.put(SECRET, params=V_SECRET, json=body, headers=mine)).status_code == 200
    assert (await http.get(SECRET, params=V_SECRET, headers=mine)).json()["value"] == "canary"
    assert (await http.delete(SECRET, params=V_SECRET, headers=mine)).status_code == 200
    assert cloud.secrets == {}
    for wrong in ({}, {"value": 1}, {"value": "x", "surprise": 1}, {"value": "x" * 25_601}):
        assert (await http.put(SECRET, params=V_SECRET, json=wrong, headers=mine)).status_code == 400
    assert (await http.get("/_vault/secrets/a_b", params=V_SECRET, headers=mine)).status_code == 400


async def test_a_token_for_vaults_does_not_open_the_resource_manager(http, cloud):
    mine = {"Authorization": f"Bearer {cloud.token(AUDIENCE)}"}
    app = f"{PROVIDERS}/Microsoft.App/containerApps/shop"
    assert (await http.get(app, params={"api-version": "2025-01-01"}, headers=mine)).status_code == 401


async def test_apps_are_reached_under_their_https_addresses_and_nothing_else_is(served):
    known = served.environment
    trust = ssl.create_default_context(cafile=known["SSL_CERT_FILE"])
    async with httpx.AsyncClient(proxy=known["HTTPS_PROXY"], verify=trust, trust_env=False) as client:
        answer = await client.get(f"https://shop.{DOMAIN}/")
        assert (answer.status_code, "No app answers" in answer.text) == (404, True)
        with pytest.raises(httpx.ProxyError):
            await client.get("https://example.com/")
    async with httpx.AsyncClient(proxy=known["HTTPS_PROXY"], trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):  # the authority is not trusted unless it is named
            await client.get(f"https://shop.{DOMAIN}/")
