"""What the platform is asked over HTTP, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\z")]
"""A folder's name, too."""
DeploymentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}\z")]
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+\z", max_length=253)]
Words = tuple[Annotated[str, StringConstraints(max_length=1_000)], ...]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Provision(_Order):
    """Which app is deployed: an environment of a project."""

    organization: Name
    project: Name
    environment: Name


class _Run(_Order):
    environment: dict[str, str] = Field(default_factory=dict[str, str])
    plain: tuple[str, ...] = Field(default=(), description="Names of variables whose values logs may show")
    memory: int = Field(ge=2**24, description="Bytes, of all processes together")
    seconds: float = Field(gt=0, le=86_400)

    @property
    def secrets(self) -> list[str]:
        """The values that logs must not show."""
        return [value for name, value in self.environment.items() if name not in self.plain]


class BuildOrder(_Run):
    """A build: `seconds` is how long it may take."""

    cores: float = Field(default=2, gt=0, le=64)


class ReleaseOrder(_Run):
    """A start: `seconds` is how long it may take to become healthy."""

    command: Words = Field(default=(), description="Filled in from the source's plan")
    usual: dict[str, str] = Field(default_factory=dict[str, str], description="Variables, likewise; its own come first")
    health_path: str | None = Field(
        default=None, max_length=200, pattern=r"^/[A-Za-z0-9._~/-]*\z", description="Has to answer with 200 to 399"
    )


class BindOrder(_Order):
    """A domain for the app of a deployment."""

    domain: HostName


class BuildState(BaseModel):
    """How a build is, and its log from where it was asked."""

    state: Literal["none", "running", "done", "failed"]
    reason: str | None = None
    log: str = ""
    next: int = 0


class ReleaseState(BaseModel):
    """How a revision is."""

    state: Literal["none", "starting", "healthy", "failed"]
    url: str | None = None
    reason: str | None = None
    log: str = ""


class LogState(BaseModel):
    """Some of a revision's log, what stands before that, and where it goes on."""

    before: str = ""
    log: str = ""
    next: int = 0
    running: bool = False


class RevisionHealth(BaseModel):
    """How a running revision is doing."""

    healthy: bool
    restarts: int
    reason: str | None = None


class AppState(BaseModel):
    """An app and the revision that serves it."""

    organization: str
    project: str
    environment: str
    url: str
    serving: str | None
    previous: str | None
    health: str | None
    restarts: int
    revisions: list[str]
