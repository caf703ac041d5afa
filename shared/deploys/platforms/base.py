"""The port that every container platform fills.

What holds for every method:

- It is idempotent by the deployment's id: repeated, also after a crash half-way, it adopts what is there and comes to
  the same result; no second build and no second app.
- It watches `step.cancelled` at least once a second and, when that says so, stops what it started and raises
  DeploymentCancelled. It may call it on every turn of its loop: the answer is cached.
- It works for `step.seconds` at most. What takes longer is handed back with `done=False` and a `cursor`, and the method
  is called again with that cursor. A cursor is at most 2,000 characters and never holds a secret.
- Output for the owner of the app goes line by line to `step.log`, which hides the values of the app's
  secrets; nothing of it goes to this app's own log.
- It raises TransientError where trying again may help; TerminalError, with a code in kebab-case and a remedy for the
  owner of the app, where it cannot.
- An app is one environment of a project. Its revisions replace one another; those of the project's other environments
  are never touched.
- `shared.deploys.recipes` says what is run to build the source and to start the app. A source's own Dockerfile takes
  its place where the platform builds images; the embedded one does not, and says so in the log.
- It never runs a shell, and takes the environment variables from secrets.variables_of(spec.secrets_reference).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from pydantic import ConfigDict, Field

from shared.deploys.cancellation import Cancelled, DeploymentCancelled, unless_cancelled
from shared.deploys.models import AppRef, DeploymentSpec
from shared.platform.errors import TerminalError, TransientError
from shared.platform.models import LazyModel

T = TypeVar("T")

LOG_CHARACTERS: Final = 16_384
"""Of an app's log that are shown. More are read, since a value that is to be hidden may begin before them."""


def source_slow(seconds: float) -> TransientError:
    """The error of a source that was not fetched within the step's time."""
    return TransientError(f"The source could not be fetched in {seconds:g} s.", code="source-slow")


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a platform is given for one time box of one step.

    Attributes:
        cancelled: whether the deployment is cancelled; cheap to call often.
        log: takes lines of text, with or without their line ends.
        seconds: how long the method may work.
    """

    cancelled: Cancelled
    log: Callable[[str], Awaitable[None]]
    seconds: float = 200

    async def check(self) -> None:
        """Raises DeploymentCancelled if the deployment is cancelled."""
        if await self.cancelled():
            raise DeploymentCancelled

    async def unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work, unless the deployment is cancelled before.

        Raises:
            DeploymentCancelled: it was.
        """
        return await unless_cancelled(work, self.cancelled)


class Workspace(LazyModel):
    """Where a build will take place, as the platform names it."""

    model_config = ConfigDict(frozen=True)
    reference: str = Field(max_length=1_000)


class BuildContext(LazyModel):
    """The source, unpacked and checked, where the build finds it. All else is None if an earlier run had brought it."""

    model_config = ConfigDict(frozen=True)
    reference: str = Field(max_length=1_000)
    commit: str | None = Field(default=None, description="Of a source from git: what was fetched")
    runtime: str | None = Field(default=None, description="What the app will be run by, as `Node 22`")
    notes: tuple[str, ...] = Field(default=(), description="What its owner should know of that")


class BuildProgress(LazyModel):
    """How far a build is."""

    model_config = ConfigDict(frozen=True)
    done: bool
    pushing: bool = Field(default=False, description="The image is built and on its way to where it is kept")
    image: str | None = Field(default=None, max_length=1_000, description="What `release` runs; given once done")
    cursor: str | None = Field(default=None, max_length=2_000)


class Revision(LazyModel):
    """One version of an app, beside the one that serves."""

    model_config = ConfigDict(frozen=True)
    name: str = Field(max_length=200)
    url: str = Field(max_length=500, description="Where this version alone answers, or the app if it has no such place")
    healthy: bool
    reason: str | None = Field(
        default=None, max_length=1_000, description="Why it is not healthy, with the end of the app's log"
    )


class ReleaseProgress(LazyModel):
    """How far a new revision is."""

    model_config = ConfigDict(frozen=True)
    done: bool
    revision: Revision | None = Field(default=None, description="Given once done, healthy or not")
    cursor: str | None = Field(default=None, max_length=2_000)


class Promoted(LazyModel):
    """The app, served by the new revision."""

    model_config = ConfigDict(frozen=True)
    url: str = Field(max_length=500, description="Where the app answers: the same for all its revisions")


class DomainProgress(LazyModel):
    """How far a custom domain is."""

    model_config = ConfigDict(frozen=True)
    done: bool
    url: str | None = Field(default=None, max_length=500, description="https address under the domain; given once done")
    cursor: str | None = Field(default=None, max_length=2_000)


class AppLogPart(LazyModel):
    """Some of a running app's log, without the values of its secrets, and the place to go on from."""

    model_config = ConfigDict(frozen=True)
    text: str
    cursor: str = Field(max_length=2_000)


class AppHealth(LazyModel):
    """How a running revision is doing."""

    model_config = ConfigDict(frozen=True)
    healthy: bool
    restarts: int = Field(default=0, description="How often it ended by itself and was started again")
    reason: str | None = Field(default=None, max_length=1_000, description="Why it is not healthy")


def domain_in_use(domain: str) -> TerminalError:
    """The refusal of a domain that another app has."""
    return TerminalError(
        f"Another app has the domain {domain}.",
        code="domain-in-use",
        remedy="Release it there first, or choose another domain.",
    )


class ContainerPlatform(Protocol):
    """Builds apps and runs them. See the module for what holds for every method."""

    async def validate(self, spec: DeploymentSpec, step: StepContext) -> None:
        """See that the deployment can be done at all. Changes nothing.

        The source is there and of a kind that can be built, the platform answers, the domain is no other app's and its
        DNS records are right.
        """
        ...

    async def provision(self, spec: DeploymentSpec, step: StepContext) -> Workspace:
        """Make the place where the build will take place."""
        ...

    async def sync(self, spec: DeploymentSpec, workspace: Workspace, step: StepContext) -> BuildContext:
        """Bring the source there: fetched (shared.deploys.sources), checked and unpacked.

        Raises:
            TerminalError: it is not clear how to build or to start it (`unknown-kind`, `no-start-command`).
        """
        ...

    async def build(
        self, spec: DeploymentSpec, context: BuildContext, step: StepContext, cursor: str | None = None
    ) -> BuildProgress:
        """Build the image and keep it, streaming the builder's output to the log.

        Raises:
            TerminalError: the build failed (`build-failed`).
        """
        ...

    async def release(
        self, spec: DeploymentSpec, image: str, step: StepContext, cursor: str | None = None
    ) -> ReleaseProgress:
        """Start the image as a new revision WITHOUT traffic and see whether it becomes healthy.

        An unhealthy one is an answer and no error; the revision that serves is not touched.
        """
        ...

    async def promote(self, spec: DeploymentSpec, revision: Revision, step: StepContext) -> Promoted:
        """Give all traffic to the revision. The one before keeps running until `cleanup`, so that `rollback` is quick.

        Raises:
            TerminalError: the revision is not healthy (any more); the one before keeps the traffic.
        """
        ...

    async def configure_domain(
        self, spec: DeploymentSpec, step: StepContext, cursor: str | None = None
    ) -> DomainProgress:
        """Bind spec.custom_domain with a certificate, keeping what else is bound. Only called where one is wanted."""
        ...

    async def release_domain(self, spec: DeploymentSpec, domain: str) -> None:
        """Unbind a domain from the app of this deployment: another app can have it. One not bound is no error."""
        ...

    async def health(self, spec: DeploymentSpec) -> AppHealth | None:
        """How the deployment's revision is doing at this moment; None if it does not run."""
        ...

    async def rollback(self, spec: DeploymentSpec, step: StepContext) -> None:
        """Undo this deployment: the previous revision serves, this one's is removed. Nothing to do is no error.

        `step.cancelled` is always false here and in `cleanup`: undoing is not cancelled.
        """
        ...

    async def cleanup(self, spec: DeploymentSpec, step: StepContext) -> None:
        """Remove what only the deployment needed: workspace, context, a build still going on.

        Where this deployment's revision serves, the revision that it replaced goes as well.
        """
        ...

    async def remove(self, app: AppRef, step: StepContext) -> None:
        """Delete the app with its revisions, domains and secrets. One that is not there is no error.

        Called only while no deployment of the app is under way.

        Raises:
            TransientError: the platform has not done it yet; repeated, it goes on from there.
        """
        ...

    async def log_tail(self, spec: DeploymentSpec) -> str:
        """The end of the log of the deployment's app, without the values of its secrets; empty once it is removed."""
        ...

    async def log_from(self, spec: DeploymentSpec, cursor: str | None) -> AppLogPart | None:
        """What the deployment's app has written since the cursor (None: its last lines); None if it does not run.

        Lines whose end may go on as a secret's value are held back for those that follow. A cursor that nobody was
        given shows no part of a value either: what stands before it is looked at.
        """
        ...
