"""Variables of a project: set, shown without secrets, deleted, and given to later deployments."""

from __future__ import annotations

import json

import pytest

from shared.deploys.documents import removal, store
from shared.deploys.models import DeploymentStatus
from shared.deploys.requests import variables
from shared.deploys.secrets import secret_store
from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import Caller
from tests.integration.triggers.deploys.conftest import change

CANARY = "canary-7f3a"


@pytest.fixture
def path(state: str) -> str:
    return f"/deploy/project/shop/variables?organizationId={state}"


async def given(deployment: dict) -> tuple[dict[str, str], list[str]]:
    """What the deployment is given, and which of it is no secret."""
    found = await store.load(deployment.get("newDeploymentId") or deployment["deploymentId"], None)
    values = await secret_store().get(found.secrets_reference) if found.secrets_reference else {}
    return values, found.plain_variables


def kept(tmp_path) -> list[dict[str, str]]:
    return [json.loads(one.read_text()) for one in (tmp_path / "secrets").iterdir()]


async def test_they_are_secrets_unless_they_are_named_as_plain(ask, path, tmp_path) -> None:
    sent = {"variables": {"TOKEN": CANARY, "LOG_LEVEL": "info"}, "plainVariables": ["LOG_LEVEL"]}
    status, answer, _ = await ask("PUT", path, sent)
    shown = [
        {"name": "LOG_LEVEL", "value": "info", "secret": False},
        {"name": "TOKEN", "value": "***", "secret": True},
    ]
    assert (status, answer["variables"]) == (200, shown)
    assert (await ask("GET", path))[1]["variables"] == shown
    await ask("PUT", path, {"variables": {"LOG_LEVEL": "debug"}})
    assert (await ask("GET", path))[1]["variables"][0] == {"name": "LOG_LEVEL", "value": "***", "secret": True}
    one = path.replace("variables", "variables/LOG_LEVEL")
    assert [name["name"] for name in (await ask("DELETE", one))[1]["variables"]] == ["TOKEN"]
    assert (await ask("DELETE", one))[1]["code"] == "unknown-variable"
    assert kept(tmp_path) == [{"TOKEN": CANARY}]
    await ask("DELETE", path.replace("variables", "variables/TOKEN"))
    assert kept(tmp_path) == []


async def test_every_later_deployment_has_them_and_its_own_come_first(ask, path, body) -> None:
    await ask("PUT", path, {"variables": {"A": "project", "B": "project"}, "plainVariables": ["A", "B"]})
    _, first, _ = await ask("POST", "/deploy", body | {"envVariables": {"B": "own", "C": "own"}})
    assert await given(first) == ({"A": "project", "B": "own", "C": "own"}, ["A"])
    await change(first, DeploymentStatus.COMPLETED)
    await ask("DELETE", path.replace("variables", "variables/A"))
    await ask("PUT", path, {"variables": {"B": "later", "D": "later"}})
    _, back, _ = await ask("POST", f"/deploy/{first['deploymentId']}/rollback")
    assert await given(back) == ({"B": "own", "C": "own", "D": "later"}, [])
    await change({"deploymentId": back["newDeploymentId"]}, DeploymentStatus.FAILED)
    _, again, _ = await ask("POST", f"/deploy/{back['newDeploymentId']}/retry")
    assert await given(again) == await given(back)
    await change({"deploymentId": again["newDeploymentId"]}, DeploymentStatus.COMPLETED)
    _, v2, _ = await ask("POST", "/api/deploy", {"projectId": "shop", "orgId": body["organizationId"], "userId": "u"})
    assert await given(v2) == await given(back)


@pytest.mark.parametrize(
    "sent",
    [
        {"variables": {}},
        {"variables": {"NOT-A-NAME": "x"}},
        {"variables": {"PORT": "1"}},
        {"variables": {"A": "x"}, "plainVariables": ["B"]},
        {"variables": {"A": "x" * 20_001}},
        {"variables": {f"{CANARY}=1": "x"}},
    ],
)
async def test_what_no_app_can_be_given_is_refused(ask, path, sent) -> None:
    status, answer, _ = await ask("PUT", path, sent)
    assert status == 400
    assert CANARY not in json.dumps(answer)


async def test_together_they_have_the_bounds_of_one_deployment(ask, path, body) -> None:
    assert (await ask("PUT", path, {"variables": {"A": "x" * 15_000}}))[0] == 200
    status, answer, _ = await ask("PUT", path, {"variables": {"B": "x" * 15_000}})
    assert (status, answer["code"]) == (400, "variables-refused")
    status, answer, _ = await ask("POST", "/deploy", body | {"envVariables": {"B": "x" * 15_000}})
    assert (status, answer["code"]) == (400, "variables-refused")


async def test_they_are_deleted_with_their_project(state, tmp_path, storage) -> None:
    await variables.put(state, "shop", {"A": CANARY}, [])
    await removal.end(state, "shop", None, whole=False)
    assert kept(tmp_path) == [{"A": CANARY}]
    await removal.end(state, "shop", None, whole=True)
    assert kept(tmp_path) == []


async def test_another_organization_sees_none_of_them(ask, path, state, monkeypatch) -> None:
    await ask("PUT", path, {"variables": {"A": CANARY}, "plainVariables": ["A"]})

    async def authenticate(self, request):
        return Caller("client", frozenset({"deploys:read", "deploys:write"}), "stranger")

    monkeypatch.setattr(ApiKey, "authenticate", authenticate)
    assert (await ask("GET", path))[0] == 403
    assert (await ask("GET", "/deploy/project/shop/variables"))[1]["variables"] == []
