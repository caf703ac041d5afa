"""The models of deployments. Their names on the wire are camelCase, as clients of the replaced system know them."""

from __future__ import annotations

from shared.deploys.models.fields import VARIABLE_NAME, DeploymentId, Environment, HostName, Name, SourceHash, Wire
from shared.deploys.models.requests import DeployRequest, Parameters, check_variables
from shared.deploys.models.sizes import SCALES, ContainerSize
from shared.deploys.models.sources import ArchiveSource, GitSource, Source
from shared.deploys.models.spec import PORT, AppRef, DeploymentSpec
from shared.deploys.models.state import (
    CANCEL_CODE,
    ERROR_LENGTH,
    FINISHING,
    ORPHANED,
    PROGRESS,
    SUPERSEDED,
    TAKEN,
    CancelReason,
    Deployment,
    DeploymentError,
    DeploymentStatus,
    LogMark,
    Project,
    Step,
    StepWork,
    document,
)

__all__ = [
    "CANCEL_CODE",
    "ERROR_LENGTH",
    "FINISHING",
    "ORPHANED",
    "PORT",
    "PROGRESS",
    "SCALES",
    "SUPERSEDED",
    "TAKEN",
    "VARIABLE_NAME",
    "AppRef",
    "ArchiveSource",
    "CancelReason",
    "ContainerSize",
    "DeployRequest",
    "Deployment",
    "DeploymentError",
    "DeploymentId",
    "DeploymentSpec",
    "DeploymentStatus",
    "Environment",
    "GitSource",
    "HostName",
    "LogMark",
    "Name",
    "Parameters",
    "Project",
    "Source",
    "SourceHash",
    "Step",
    "StepWork",
    "Wire",
    "check_variables",
    "document",
]
