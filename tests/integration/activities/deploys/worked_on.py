"""A deployment that steps work on, and what a platform answers them."""

from __future__ import annotations

from datetime import timedelta

from activities.deploys.steps import (
    build_image,
    promote_revision,
    provision_container,
    release_revision,
    sync_files,
    validate_deployment,
)
from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus
from shared.deploys.platforms.base import (
    BuildContext,
    BuildProgress,
    DomainProgress,
    Promoted,
    ReleaseProgress,
    Revision,
    Workspace,
)
from shared.deploys.running.steps import ContextReady, DeploymentRef, ImageReady, RevisionReady, WorkspaceReady

CANARY = "canary-77aa-never-shown"


REVISION = Revision(name="r", url="http://r", healthy=True)


ANSWERS = {
    "validate": None,
    "provision": Workspace(reference="w"),
    "sync": BuildContext(reference="c"),
    "build": BuildProgress(done=True, image="i"),
    "release": ReleaseProgress(done=True, revision=REVISION),
    "promote": Promoted(url="http://app"),
    "configure_domain": DomainProgress(done=True, url="https://shop.example.com"),
    "rollback": None,
    "cleanup": None,
}


def tasks(ref: DeploymentRef) -> dict:
    """Every step of a deployment with what it is given, in their order."""
    known = ref.model_dump()
    return {
        "validate": (validate_deployment, ref),
        "provision": (provision_container, ref),
        "sync": (sync_files, WorkspaceReady(**known, workspace="w")),
        "build": (build_image, ContextReady(**known, context="c")),
        "release": (release_revision, ImageReady(**known, image="i")),
        "promote": (promote_revision, RevisionReady(**known, revision=REVISION)),
    }


async def load(ref: DeploymentRef):
    return await store.load(ref.deployment_id, ref.organization_id)


async def newer_of(ref, new, status=DeploymentStatus.COMPLETED, **changes):
    """A deployment of the same app that was requested later."""
    older = await load(ref)
    later = {"created_at": older.created_at + timedelta(seconds=1), "status": status, **changes}
    return await store.create(new(**{"organization_id": older.organization_id, "project_id": older.project_id} | later))
