"""A project is deleted with all that is its, also by a host that is killed meanwhile; nothing of another's is."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from azure.storage.blob import BlobServiceClient

from tests.acceptance.deploys.conftest import Deploys


def delete(app, path: str, status: int = 202) -> dict:
    return app.ask("DELETE", f"/deploy/project/{path}?organizationId={app.organization}", status=status)


def gone(app, project: str, seconds: float = 60) -> None:
    """Wait until the project is not listed any more, or nothing of it is being deleted."""
    deadline = time.monotonic() + seconds
    while any(one["projectId"] == project and one["removing"] for one in listed(app)):
        assert time.monotonic() < deadline, app.host.output[-40:]
        time.sleep(0.1)


def listed(app) -> list[dict]:
    return app.ask("GET", f"/deploy/projects?organizationId={app.organization}")["data"]


def blobs(app) -> list[str]:
    """What is kept of the organization in Blob Storage."""
    with BlobServiceClient.from_connection_string(app.environment["STORAGE_CONNECTION"]) as client:
        return [
            one.name
            for container in ("deploy-sources", "deploy-logs")
            for one in client.get_container_client(container).list_blobs(name_starts_with=f"{app.organization}/")
        ]


async def test_a_project_is_deleted_by_a_host_that_is_killed_meanwhile(running) -> None:
    with running() as app:
        other = Deploys(app.host, app.environment, app.builds.parent)
        first = app.wait(app.deploy("shop", "one", envVariables={"A": "secret-of-shop"}))
        staging = app.wait(app.deploy("shop", "two", environment="staging"))
        app.wait(app.deploy("shop", None))
        theirs = other.wait(other.deploy("shop", "theirs", envVariables={"A": "secret-of-theirs"}))
        kept = app.wait(app.deploy("bakery", "bakery"))
        busy = app.deploy("shop", "three", build_seconds=30)
        assert delete(app, "shop", 409)["code"] == "deployment-in-progress"
        app.ask("POST", f"/deploy/{busy}/cancel")
        app.wait(busy)
        delete(app, "shop")
        # The cancelled deployment has ended for its reader, and may have a last step to do.
        assert "remove_apps" in app.host.restart_by_kill()
        gone(app, "shop")
        for url in (first["containerAppUrl"], staging["containerAppUrl"]):
            with pytest.raises((URLError, HTTPError)):
                app.open(url)
        assert app.open(theirs["containerAppUrl"]) == "theirs"
        assert app.open(kept["containerAppUrl"]) == "bakery"
        assert app.request("GET", f"/deploy/{first['deploymentId']}/status").status == 404
        assert [one for one in blobs(app) if "/shop/" in one or first["deploymentId"] in one] == []
        secrets = [one.read_text() for one in (Path(app.environment["MANIFOLD_LOCAL_DIR"]) / "secrets").iterdir()]
        assert secrets == ['{"A": "secret-of-theirs"}']
        assert [one["projectId"] for one in listed(app)] == ["bakery"]
        delete(app, "shop", 404)
        assert app.open(app.wait(app.deploy("shop", "anew"))["containerAppUrl"]) == "anew"
        delete(app, "shop/apps/development")
        gone(app, "shop")
        assert app.ask("GET", f"/deploy/project/shop?organizationId={app.organization}")["data"] == []
        assert sorted(one["projectId"] for one in listed(app)) == ["bakery", "shop"]
