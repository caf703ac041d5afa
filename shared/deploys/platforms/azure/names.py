"""What things are called in Azure: the same names each time, so that a repeated step finds what is there."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.deploys.models import AppRef, DeploymentSpec
from shared.deploys.settings import settings
from shared.platform.errors import TerminalError

APPS_API: Final = "2025-01-01"
REGISTRY_API: Final = "2025-04-01"
TASKS_API: Final = "2025-03-01-preview"

SLUG: Final = 16
"""Of the project's name in an app's name, which may have 32 characters."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where apps are deployed to. Resource ids begin with a slash.

    Attributes:
        environment: of the organizations that have none of their own.
        isolated: the names of the environments of those that have.
    """

    subscription: str
    group: str
    location: str
    registry_name: str
    environment: str
    identity: str
    isolated: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def registry(self) -> str:
        """Path of the container registry within the resource manager, as all below."""
        return f"{self._providers}/Microsoft.ContainerRegistry/registries/{self.registry_name}"

    @property
    def apps(self) -> str:
        """Path of the list of apps."""
        return f"{self._providers}/Microsoft.App/containerApps"

    def app(self, name: str) -> str:
        """Path of one app."""
        return f"{self.apps}/{name}"

    def environment_of(self, organization_id: str) -> str:
        """Where new apps of an organization run. Those that are there stay in the environment they were made in."""
        own = self.isolated.get(organization_id)
        return f"{self._providers}/Microsoft.App/managedEnvironments/{own}" if own else self.environment

    def certificate(self, environment: str, host: str) -> str:
        """Path of the certificate of a custom domain in its environment."""
        return f"{environment}/managedCertificates/mc-{_hash(host)}"

    @property
    def _providers(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers"


def place() -> Place:
    """The place that the settings name.

    Raises:
        TerminalError: a setting is missing.
    """
    config = settings()
    needed = {
        "AZURE_SUBSCRIPTION_ID": config.azure_subscription_id,
        "AZURE_RESOURCE_GROUP": config.azure_resource_group,
        "AZURE_LOCATION": config.azure_location,
        "AZURE_CONTAINER_REGISTRY": config.azure_container_registry,
        "CONTAINER_APPS_ENVIRONMENT_ID": config.container_apps_environment_id,
        "CONTAINER_APPS_IDENTITY_ID": config.container_apps_identity_id,
    }
    if missing := [name for name, value in needed.items() if not value]:
        raise TerminalError(
            f"CONTAINER_PLATFORM is azure, and these settings are missing: {', '.join(missing)}.",
            code="settings",
            remedy="Set them as app settings; the Bicep does.",
        )
    isolated = dict(pair.split("=", 1) for pair in config.isolated_environments.split(",") if pair)
    return Place(*needed.values(), isolated=isolated)


def app_name(app: AppRef) -> str:
    """One app for each environment of a project: at most 30 of a-z, 0-9 and single hyphens, a letter first."""
    slug = re.sub(r"[^a-z0-9]+", "-", app.project_id.lower()).strip("-")[:SLUG].strip("-")
    if not slug[:1].isalpha():
        slug = f"a{slug}"[:SLUG].strip("-")
    return f"{slug}-{_hash(f'{app.organization_id}/{app.project_id}/{app.environment}')}"


def suffix(spec: DeploymentSpec) -> str:
    """Of the deployment's revision, its image's tag and its secrets."""
    return "d" + spec.deployment_id.removeprefix("dep_").lower()


def revision_name(spec: DeploymentSpec) -> str:
    """Of the deployment's revision."""
    return f"{app_name(spec)}--{suffix(spec)}"


def task_run_name(spec: DeploymentSpec) -> str:
    """Of the deployment's build: a named resource, so that asking for it twice builds once."""
    return f"build-{suffix(spec)}"


def _hash(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:13]
