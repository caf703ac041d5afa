"""A deployment as a container platform sees it."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, Field

from shared.deploys.models.fields import DeploymentId, Environment, Name
from shared.deploys.models.sizes import Scale
from shared.deploys.models.sources import Source
from shared.platform.models import LazyModel

PORT: Final = 8080
"""Where every app listens, given to it as PORT: it does not depend on the app's size."""


class AppRef(LazyModel):
    """Which app: one environment of a project."""

    model_config = ConfigDict(frozen=True)
    organization_id: Name
    project_id: Name
    environment: Environment


class DeploymentSpec(AppRef):
    """A deployment as a container platform sees it. Made anew from the state document for each step."""

    deployment_id: DeploymentId
    project_name: str
    template_type: str | None
    source: Source
    build_command: tuple[str, ...] = Field(description="Words to run; empty: what the source's kind calls for")
    start_command: tuple[str, ...] = Field(description="Words to run; empty: what the source's kind calls for")
    root_directory: str | None = Field(default=None, description="Of the source; None: its root")
    custom_domain: str | None
    secrets_reference: str | None = Field(description="For SecretStore.get; None: no variables")
    plain_variables: tuple[str, ...] = Field(default=(), description="Names of variables whose values are no secrets")
    health_path: str | None = Field(
        default=None, description="Answers with 200 to 399 when healthy; None: any below 500"
    )
    health_seconds: int | None = Field(default=None, description="To become healthy within; None: the platform's")
    scale: Scale
    port: int = Field(default=PORT, description="Where the app listens; the local platform picks a free one instead")
