"""Routes of projects: sources are uploaded, deployments listed, domains released."""

from __future__ import annotations

import hashlib
from io import BytesIO
from zipfile import ZipFile

import httpx

from shared.deploys.documents import store
from shared.deploys.models import ArchiveSource, DeploymentStatus
from shared.deploys.running.logs import DeploymentLog
from shared.platform.redaction import Redactor
from shared.platform.stores.blobs import blob_service
from tests.integration.triggers.deploys.conftest import change


async def test_a_source_is_uploaded_and_deployed_by_default(ask, state, storage) -> None:
    archive = BytesIO()
    with ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", "print()")
    request_body = {"projectId": "fresh", "userId": "u", "organizationId": state, "projectName": "F"}
    status, answer, _ = await ask("POST", "/deploy", request_body)
    assert (status, answer["code"]) == (400, "no-source")
    status, stored, _ = await ask("PUT", f"/deploy/project/fresh/source?organizationId={state}", archive.getvalue())
    assert (status, stored["size"]) == (201, len(archive.getvalue()))
    status, answer, _ = await ask("POST", "/deploy", request_body)
    made = await store.load(answer["deploymentId"], state)
    assert isinstance(made.source, ArchiveSource)
    assert (status, made.source.hash) == (202, stored["sourceHash"])


async def test_defect_the_blob_container_is_public(ask, source, state) -> None:
    log = DeploymentLog(state, "dep_AAAAAAAAAAAA", Redactor(()))
    await log.write("a line")
    await log.flush()
    for container in ("deploy-sources", "deploy-logs"):
        access = await blob_service().get_container_client(container).get_container_access_policy()
        assert access["public_access"] is None


async def test_what_is_no_archive_is_refused(ask, state, storage) -> None:
    status, answer, _ = await ask("PUT", f"/deploy/project/shop/source?organizationId={state}", b"#!/bin/sh")
    assert status == 400
    assert answer["code"]


async def test_a_large_source_goes_to_an_upload_url(ask, state, storage) -> None:
    assert await upload_by_url(ask, state, b"PK\x03\x04 large")


async def upload_by_url(ask, state: str, data: bytes) -> str:
    """Upload and deploy it; its hash."""
    wanted = hashlib.sha256(data).hexdigest()
    path = f"/deploy/project/shop/source/upload-url?organizationId={state}"
    status, answer, _ = await ask("POST", path, {"sourceHash": wanted})
    assert status == 200
    async with httpx.AsyncClient() as http:
        put = await http.put(answer["url"], content=data, headers=answer["headers"])
        assert put.is_success, put.text
    request_body = {
        "projectId": "shop",
        "userId": "u",
        "organizationId": state,
        "projectName": "S",
        "sourceHash": wanted,
    }
    status, first, _ = await ask("POST", "/deploy", request_body)
    assert status == 202
    await change(first, DeploymentStatus.COMPLETED)
    return wanted


async def test_defect_what_went_to_an_upload_url_is_not_deployed_as_the_newest_source(ask, source, state) -> None:
    older = {"projectId": "shop", "userId": "u", "organizationId": state, "projectName": "S"}
    path = f"/deploy/project/shop/source?organizationId={state}"
    await ask("PUT", path, b"PK\x03\x04 by the route")
    wanted = await upload_by_url(ask, state, b"PK\x03\x04 by the URL")
    for path, request_body in (
        ("/deploy", older),
        ("/api/deploy", {"projectId": "shop", "orgId": state, "userId": "u"}),
    ):
        status, answer, _ = await ask("POST", path, request_body)
        assert status == 202
        assert (await store.load(answer["deploymentId"], state)).source == ArchiveSource(hash=wanted)
        await change(answer, DeploymentStatus.COMPLETED)


async def test_the_operator_names_the_organization(ask) -> None:
    status, answer, _ = await ask("GET", "/deploy/project/shop")
    assert (status, answer["errors"][0]["pointer"]) == (400, "#/organizationId")


async def test_a_domain_is_released_by_its_project(ask, body, state, apps) -> None:
    url = f"/deploy/project/shop/domains/shop.example.com?organizationId={state}"
    assert (await ask("DELETE", url))[0] == 404
    _, first, _ = await ask("POST", "/deploy", {**body, "customDomain": "shop.example.com"})
    await change(first, DeploymentStatus.COMPLETED)
    await store.change(
        first["deploymentId"],
        state,
        lambda one, now: one.model_copy(update={"custom_domain_url": "https://shop.example.com", "updated_at": now}),
    )
    status, answer, _ = await ask("DELETE", url)
    assert (status, answer["domain"]) == (200, "shop.example.com")
    assert (await ask("GET", f"/deploy/{first['deploymentId']}/status"))[1]["customDomainUrl"] is None
    _, again, _ = await ask("POST", "/api/deploy", {"projectId": "shop", "orgId": state, "userId": "u"})
    assert (await store.load(again["deploymentId"], state)).custom_domain is None
    assert apps.released == [("shop", "development", "shop.example.com")]
    assert (await ask("DELETE", url.replace("shop.example.com", "no%20host")))[0] == 400
