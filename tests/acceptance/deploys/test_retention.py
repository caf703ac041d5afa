"""The nightly purge on the real host: what is old goes, what serves stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.cosmos import CosmosClient


def age(app, deployment: str) -> None:
    """Let it have ended 100 days ago."""
    with CosmosClient.from_connection_string(app.environment["COSMOS_CONNECTION"]) as client:
        documents = client.get_database_client("manifold").get_container_client("deployments")
        long_ago = (datetime.now(UTC) - timedelta(days=100)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        documents.replace_item(
            deployment, {**documents.read_item(deployment, app.organization), "completedAt": long_ago}
        )


async def test_the_purge_forgets_what_is_old_and_leaves_what_serves(running) -> None:
    with running() as app:
        first = app.wait(app.deploy("shop", "one", envVariables={"A": "secret-one"}))["deploymentId"]
        failed = app.wait(app.deploy("shop", None))["deploymentId"]
        ended = app.wait(app.deploy("shop", "two", envVariables={"A": "secret-two"}))
        serving, url = ended["deploymentId"], ended["containerAppUrl"]
        for one in (first, failed, serving):
            age(app, one)
        assert app.request("POST", "/admin/functions/deploys_purge", {}).status == 202
        app.host.wait_for("deploys-purge")
        assert [app.request("GET", f"/deploy/{one}/status").status for one in (first, failed, serving)] == [
            404,
            404,
            200,
        ]
        listed = app.ask("GET", f"/status/deployments/{app.organization}")
        assert listed["counts"] == {"completed": 1}
        assert app.open(url) == "two"
        kept = list((Path(app.environment["MANIFOLD_LOCAL_DIR"]) / "secrets").iterdir())
        assert [one.read_text() for one in kept] == ['{"A": "secret-two"}']
