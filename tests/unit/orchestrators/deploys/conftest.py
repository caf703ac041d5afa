"""Deployments that are played."""

from __future__ import annotations

import pytest

from shared.deploys.models import DeploymentStatus
from shared.deploys.running.steps import (
    Built,
    Claimed,
    ContextReady,
    DomainBound,
    Ended,
    Released,
    Serving,
    WorkspaceReady,
)
from shared.platform.durable import Nothing
from tests.unit.orchestrators.deploys.hosted import REVISION, host_on


@pytest.fixture
def play(player):
    """A host with one entity, on which everything goes well unless the test says otherwise."""

    host = host_on(type(player))()
    host.fakes = {
        "claim_deployment": lambda _: Claimed(
            claimed=True, status=DeploymentStatus.QUEUED, project="org/p", limit=1, timeout_seconds=1800
        ),
        "validate_deployment": lambda _: Nothing(),
        "provision_container": lambda task: WorkspaceReady(**task.model_dump(), workspace="w"),
        "sync_files": lambda task: ContextReady(
            deployment_id=task.deployment_id, organization_id=task.organization_id, context="c"
        ),
        "build_image": lambda _: Built(done=True, image="i"),
        "release_revision": lambda _: Released(done=True, revision=REVISION),
        "promote_revision": lambda _: Serving(url="http://app", custom_domain=False),
        "configure_domain": lambda _: DomainBound(done=True),
        "settle_deployment": lambda _: Nothing(),
        "roll_back": lambda _: Nothing(),
        "clean_up": lambda _: Nothing(),
        "stop_deployment": lambda _: Nothing(),
        "wake_waiting": lambda _: Nothing(),
        "end_deployment": lambda task: Ended(deployment_id=task.deployment_id, status=task.status, code=task.code),
    }
    return host
