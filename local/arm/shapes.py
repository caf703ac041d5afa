"""The documented shapes of what is written, as far as deploying needs them; what is not in them is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, strict=True)


class _Source(_Shape):
    os: Literal["Linux", "Windows"]
    architecture: Literal["amd64", "x86", "386", "arm", "arm64"] = "amd64"


class _Agent(_Shape):
    cpu: int = Field(ge=1, le=32)


class _Argument(_Shape):
    name: Annotated[str, StringConstraints(min_length=1)]
    value: str
    is_secret: bool = False


class DockerBuildRequest(_Shape):
    type: Literal["DockerBuildRequest"]
    image_names: list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*:[A-Za-z0-9_][\w.-]*$")]]
    is_push_enabled: bool
    no_cache: bool = False
    docker_file_path: str
    platform: _Source
    agent_configuration: _Agent | None = None
    source_location: str
    arguments: list[_Argument] | None = None
    timeout: int = Field(default=3600, ge=300, le=28_800)


class _TaskRunProperties(_Shape):
    run_request: DockerBuildRequest
    force_update_tag: str | None = None


class TaskRun(_Shape):
    location: str | None = None
    properties: _TaskRunProperties


class _Secret(_Shape):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]
    value: Annotated[str, StringConstraints(min_length=1)] | None = None
    key_vault_url: str | None = None
    identity: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> _Secret:
        if (self.value is None) == (self.key_vault_url is None):
            raise ValueError(f"secret {self.name} needs a value or a keyVaultUrl")
        return self


class _Traffic(_Shape):
    revision_name: str | None = None
    weight: int = Field(default=0, ge=0, le=100)
    latest_revision: bool = False
    label: str | None = None


class _CustomDomain(_Shape):
    name: str
    binding_type: Literal["Disabled", "SniEnabled"] = "Disabled"
    certificate_id: str | None = None


class _Ingress(_Shape):
    external: bool = False
    target_port: int
    transport: Literal["auto", "http", "http2", "tcp"] = "auto"
    allow_insecure: bool = False
    traffic: list[_Traffic]
    custom_domains: list[_CustomDomain] | None = None
    exposed_port: int = 0
    sticky_sessions: None = None
    ip_security_restrictions: None = None
    client_certificate_mode: None = None
    cors_policy: None = None
    additional_port_mappings: None = None


class _RegistryCredentials(_Shape):
    server: str
    identity: str


class _IdentitySettings(_Shape):
    identity: str
    lifecycle: Literal["Init", "Main", "None", "All"]


class _Configuration(_Shape):
    active_revisions_mode: Literal["Single", "Multiple"] = "Single"
    secrets: list[_Secret] | None = None
    ingress: _Ingress
    registries: list[_RegistryCredentials] = []
    identity_settings: list[_IdentitySettings] = []
    max_inactive_revisions: int | None = None
    dapr: None = None
    runtime: None = None
    service: None = None


class _Variable(_Shape):
    name: str
    value: str | None = None
    secret_ref: str | None = None


class _Resources(_Shape):
    cpu: float
    memory: Annotated[str, StringConstraints(pattern=r"^[0-9.]+Gi$")]
    ephemeral_storage: str | None = None

    @model_validator(mode="after")
    def _pair(self) -> _Resources:
        if float(self.memory.removesuffix("Gi")) != 2 * self.cpu or not 0.25 <= self.cpu <= 4:  # noqa: PLR2004 - the offer
            raise ValueError("total CPU and memory is not one of the combinations that are offered")
        return self


class _Tcp(_Shape):
    port: int


class _HttpGet(_Shape):
    port: int
    path: str
    scheme: Literal["HTTP", "HTTPS"] = "HTTP"


class _Probe(_Shape):
    type: Literal["Liveness", "Readiness", "Startup"]
    tcp_socket: _Tcp | None = None
    http_get: _HttpGet | None = None
    period_seconds: int = Field(default=10, ge=1, le=240)
    failure_threshold: int = Field(default=3, ge=1, le=10)


class _Container(_Shape):
    name: str
    image: str
    command: list[str] | None = None
    env: list[_Variable] = []
    resources: _Resources
    probes: list[_Probe] = []


class _Http(_Shape):
    metadata: dict[str, str]


class _Custom(_Shape):
    type: str
    metadata: dict[str, str]


class _Rule(_Shape):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    http: _Http | None = None
    custom: _Custom | None = None


class _Scale(_Shape):
    min_replicas: int = Field(default=0, ge=0, le=1000)
    max_replicas: int = Field(default=10, ge=1, le=1000)
    rules: list[_Rule] = []
    cooldown_period: int = 300
    polling_interval: int = 30


class Template(_Shape):
    revision_suffix: Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=30)]
    containers: list[_Container]
    scale: _Scale
    termination_grace_period_seconds: Annotated[int, Field(ge=0, le=600)] | None = None
    init_containers: None = None
    volumes: None = None
    service_binds: None = None


class _AppProperties(_Shape):
    environment_id: str
    workload_profile_name: str | None = None
    configuration: _Configuration
    template: Template


class _Nothing(_Shape):
    pass


class _Identity(_Shape):
    type: Literal["None", "SystemAssigned", "UserAssigned"]
    user_assigned_identities: dict[str, _Nothing] = {}


class ContainerApp(_Shape):
    location: str
    tags: dict[str, str] = {}
    identity: _Identity
    properties: _AppProperties


class _CertificateProperties(_Shape):
    subject_name: str
    domain_control_validation: Literal["CNAME", "HTTP", "TXT"]


class ManagedCertificate(_Shape):
    location: str
    properties: _CertificateProperties
