"""One side effect each of a deployment; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

from activities.deploys.outcome import (
    claim_deployment,
    clean_up,
    end_deployment,
    roll_back,
    settle_deployment,
    stop_deployment,
)
from activities.deploys.removal import end_removal, forget_app, forget_sources, remove_app
from activities.deploys.slots import deploy_slots, wake_waiting
from activities.deploys.steps import (
    build_image,
    configure_domain,
    promote_revision,
    provision_container,
    release_revision,
    sync_files,
    validate_deployment,
)
from activities.deploys.upkeep import purge_deployments, purge_sources

__all__ = [
    "build_image",
    "claim_deployment",
    "clean_up",
    "configure_domain",
    "deploy_slots",
    "end_deployment",
    "end_removal",
    "forget_app",
    "forget_sources",
    "promote_revision",
    "provision_container",
    "purge_deployments",
    "purge_sources",
    "release_revision",
    "remove_app",
    "roll_back",
    "settle_deployment",
    "stop_deployment",
    "sync_files",
    "validate_deployment",
    "wake_waiting",
]
