"""How a deployment is claimed, undone and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.deploys.outcome import (
    claim_deployment,
    clean_up,
    end_deployment,
    roll_back,
    settle_deployment,
    stop_deployment,
)
from activities.deploys.steps import validate_deployment
from shared.deploys.documents import store
from shared.deploys.models import ORPHANED, CancelReason, DeploymentStatus
from shared.deploys.running import logs
from shared.deploys.running.steps import CancelDeployment, Claim, End, Undo
from shared.platform.errors import Conflict
from tests.integration.activities.deploys.worked_on import CANARY, load, newer_of
from tests.present import present


async def test_the_end_is_logged_with_what_dashboards_and_alerts_are_made_from(new, caplog) -> None:
    caplog.set_level("INFO", "activities.deploys.outcome")
    started = datetime.now(UTC) - timedelta(minutes=2)
    one = await store.create(
        new(created_at=started - timedelta(minutes=1), started_at=started, custom_domain="shop.example.com")
    )
    end = End(deployment_id=one.id, organization_id=one.organization_id, status=DeploymentStatus.FAILED, code="no-slot")
    await end_deployment(end)
    [ending] = [record for record in caplog.records if record.message == "A deployment has ended."]
    assert (ending.deployment, ending.organization, ending.projectId) == (one.id, one.organization_id, one.project_id)
    assert (ending.environment, ending.containerSize) == ("development", "0.5 cores, 1Gi")
    assert (ending.hasCustomDomain, ending.status, ending.code) == (True, "failed", "no-slot")
    assert ending.waited == 60
    assert 120 <= ending.duration < 180


async def test_undoing_goes_on_after_the_cancel(platform, ref) -> None:
    async def undo(_, step) -> None:
        await step.check()

    platform.does |= {"rollback": undo, "cleanup": undo}
    await validate_deployment(ref)
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    await roll_back(Undo(**ref.model_dump()))
    await clean_up(ref)
    assert platform.calls[-2:] == ["rollback", "cleanup"]


async def test_why_it_is_undone_is_known_though_its_orchestration_is_lost(platform, ref) -> None:
    why: dict[str, Any] = {
        "code": "azure-unavailable",
        "message": f"promote failed: {CANARY}",
        "remedy": "See the log.",
    }
    await validate_deployment(ref)
    await roll_back(Undo(**ref.model_dump(), **why))
    assert present((await load(ref)).error).code == "azure-unavailable"
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert "promote failed: ***" in text
    lost: dict[str, Any] = {"code": ORPHANED, "message": "Its orchestration is gone.", "remedy": "Retry it."}
    await roll_back(Undo(**ref.model_dump(), **lost))
    await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, **lost))
    error = present((await load(ref)).error)
    assert (error.code, error.message) == ("azure-unavailable", "promote failed: ***")


async def test_a_cancelled_deployment_has_no_error(platform, ref) -> None:
    await validate_deployment(ref)
    await roll_back(Undo(**ref.model_dump(), code="first", message="x"))
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, code="first", message="x"))
    found = await load(ref)
    assert (found.status, found.error) == (DeploymentStatus.CANCELLED, None)


async def test_what_serves_is_not_undone(platform, ref) -> None:
    await settle_deployment(ref)
    with pytest.raises(Conflict):
        await roll_back(Undo(**ref.model_dump()))
    assert platform.calls == []


async def test_only_one_execution_gets_a_deployment(ref) -> None:
    first = await claim_deployment(Claim(**ref.model_dump(), execution="one"))
    again = await claim_deployment(Claim(**ref.model_dump(), execution="one"))
    second = await claim_deployment(Claim(**ref.model_dump(), execution="two"))
    assert (first.claimed, again.claimed, second.claimed) == (True, True, False)
    await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED))
    assert not (await claim_deployment(Claim(**ref.model_dump(), execution="one"))).claimed


async def test_an_older_deployment_that_the_queue_delivers_late_ends_as_superseded(platform, ref, new) -> None:
    newer = await newer_of(ref, new)
    claimed = await claim_deployment(Claim(**ref.model_dump(), execution="e"))
    found = await load(ref)
    assert (claimed.claimed, found.status) == (False, DeploymentStatus.CANCELLED)
    assert present(found.error).code == "deployment-superseded"
    assert newer.id in present(found.error).message
