"""The settings of the workload deploys, with their units and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from shared.platform.settings import Settings, read_settings


class DeploySettings(Settings):
    """For running deployed apps, on Azure Container Apps or on this machine."""

    manifold_local_dir: str = Field(default=".local", description="folder of what the app itself keeps on a laptop")
    git_hosts: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*)?$",
        description="hosts that sources are fetched from, by commas; unset: any public one",
    )
    local_platform_url: str = Field(
        default="http://127.0.0.1:8500", description="address of the platform for apps on this machine"
    )
    local_platform_token: SecretStr = Field(
        default=SecretStr(""), description="what the platform for apps on this machine asks of its caller"
    )
    container_platform: Literal["local", "azure"] = Field(
        default="local", description="where deployed apps run: on this machine, or on Azure Container Apps"
    )
    max_concurrent_deployments: int = Field(
        default=5, ge=1, le=1_000, description="deployments at work at the same time, in each task hub"
    )
    deployment_timeout_ms: int = Field(
        default=1_800_000, ge=1_000, le=86_400_000, description="milliseconds that a deployment may work"
    )
    deployment_retention_days: int = Field(
        default=90,
        ge=1,
        description="days that an ended deployment, its log and its source are kept, and a failed one retried",
    )
    build_container_cpu: float = Field(default=2, gt=0, le=64, description="cores that a build may use")
    build_container_memory: float = Field(default=4, gt=0, le=256, description="GiB of memory that a build may use")
    azure_poll_seconds: float = Field(
        default=2,
        ge=0.1,
        le=60,
        description="seconds between two looks at the same build, revision or certificate in Azure",
    )
    azure_subscription_id: str = Field(default="", description="subscription of the deployed apps")
    azure_resource_group: str = Field(default="", description="resource group of the deployed apps")
    azure_location: str = Field(default="", description="region of the deployed apps")
    azure_container_registry: str = Field(default="", description="name of the registry of the deployed apps' images")
    base_image_registry: str = Field(
        default="",
        description="where the images that apps are built on are fetched from, as host/folder; unset: Docker Hub",
    )
    container_apps_environment_id: str = Field(
        default="", description="resource id of the environment of the deployed apps"
    )
    isolated_environments: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_-]+=[a-z0-9-]+(,[A-Za-z0-9_-]+=[a-z0-9-]+)*)?$",
        description="organizations whose apps run in an environment of their own: organization=environment, by commas",
    )
    container_apps_identity_id: str = Field(
        default="", description="resource id of the identity with which deployed apps fetch their image"
    )
    azure_deployer_client_id: str | None = Field(
        default=None,
        description="client id of the identity that deploys apps and keeps their variables; unset: the app's own",
    )
    key_vault_uri: str | None = Field(
        default=None, description="https address of the vault of deployed apps' variables; unset: files on this machine"
    )


def settings() -> DeploySettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(DeploySettings)
