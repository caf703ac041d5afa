"""What deployments are made of: the words on the wire (camelCase, as clients of the replaced system know them)."""

from shared.deploys.models.requests import DeployRequest, Parameters
from shared.deploys.models.sizes import SCALES, ContainerSize
from shared.deploys.models.sources import ArchiveSource, GitSource, Source
from shared.deploys.models.spec import PORT, DeploymentSpec
from shared.deploys.models.state import (
    ERROR_LENGTH,
    FINISHING,
    LOST,
    PROGRESS,
    Deployment,
    DeploymentError,
    DeploymentStatus,
    Project,
    Step,
    StepWork,
    StopReason,
    document,
)
from shared.deploys.models.words import DeploymentId, Environment, HostName, Name, SourceHash, Wire

__all__ = [
    "ERROR_LENGTH",
    "FINISHING",
    "LOST",
    "PORT",
    "PROGRESS",
    "SCALES",
    "ArchiveSource",
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
    "Name",
    "Parameters",
    "Project",
    "Source",
    "SourceHash",
    "Step",
    "StepWork",
    "StopReason",
    "Wire",
    "document",
]
