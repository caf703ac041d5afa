"""A client acts for its own organization and sees no other."""

from __future__ import annotations

import pytest

from shared.deploys.documents import projects
from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import Caller


class TestOrganizations:
    """A client acts for its own organization and sees no other."""

    @pytest.fixture
    def as_client(self, monkeypatch, state):
        def be(organization, *permissions):
            async def authenticate(self, request):
                return Caller("client", frozenset(permissions), organization)

            monkeypatch.setattr(ApiKey, "authenticate", authenticate)

        return be

    async def test_another_organization_s_deployment_is_not_found(self, ask, body, as_client) -> None:
        _, first, _ = await ask("POST", "/deploy", body)
        as_client("stranger", "deploys:read", "deploys:write")
        for method, what in (("GET", "status"), ("GET", "logs"), ("POST", "cancel"), ("POST", "retry")):
            status, answer, _ = await ask(method, f"/deploy/{first['deploymentId']}/{what}")
            assert (status, answer["code"]) == (404, "unknown-deployment"), what
        status, _, _ = await ask("GET", f"/status/deployments/{body['organizationId']}")
        assert status == 404

    async def test_only_the_own_projects_are_listed(self, ask, state, as_client) -> None:
        await projects.update(state, "shop", source_hash="a" * 64)
        await projects.update(f"{state}-other", "bakery", source_hash="b" * 64)
        status, every, _ = await ask("GET", "/deploy/projects?limit=100")
        known = {(one["organizationId"], one["projectId"]) for one in every["data"]}
        assert status == 200
        assert known >= {(state, "shop"), (f"{state}-other", "bakery")}
        assert [
            one["projectId"] for one in (await ask("GET", f"/deploy/projects?organizationId={state}"))[1]["data"]
        ] == ["shop"]
        _, organizations, _ = await ask("GET", "/deploy/organizations?limit=100")
        assert {state, f"{state}-other"} <= set(organizations["data"])
        as_client(f"{state}-other", "deploys:read")
        assert (await ask("GET", "/deploy/organizations"))[1]["data"] == [f"{state}-other"]
        [own] = (await ask("GET", "/deploy/projects"))[1]["data"]
        assert (own["projectId"], own["sourceHash"], own["deploymentId"]) == ("bakery", "b" * 64, None)
        assert (await ask("GET", f"/deploy/projects?organizationId={state}"))[0] == 403

    async def test_nobody_deploys_for_another_organization(self, ask, body, as_client, sent) -> None:
        as_client("stranger", "deploys:write")
        v2 = {"projectId": "shop", "orgId": body["organizationId"], "userId": "u"}
        for path, request_body in (("/deploy", body), ("/api/deploy", v2)):
            status, answer, _ = await ask("POST", path, request_body)
            assert (status, answer["code"]) == (403, "other-organization")
        upload = f"/deploy/project/shop/source?organizationId={body['organizationId']}"
        status, _, _ = await ask("PUT", upload, b"PK\x03\x04")
        assert status == 403
        assert sent.messages == []

    async def test_a_client_needs_no_word_about_its_organization(self, ask, body, as_client, state) -> None:
        await ask("POST", "/deploy", body)
        as_client(state, "deploys:read")
        status, answer, _ = await ask("GET", "/deploy/project/shop")
        assert (status, len(answer["data"])) == (200, 1)

    async def test_a_key_without_an_organization_opens_nothing(self, ask, as_client) -> None:
        as_client(None, "deploys:read")
        status, answer, _ = await ask("GET", "/deploy/project/shop")
        assert (status, answer["code"]) == (403, "organization-missing")
