"""The port `ContainerPlatform`, filled by ACR Tasks and Container Apps. The state is read from Azure each time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.deploys import sources
from shared.deploys.cancellation import DeploymentCancelled, in_thread
from shared.deploys.models import AppRef, ArchiveSource, DeploymentSpec
from shared.deploys.platforms.azure import bodies, builds, domains
from shared.deploys.platforms.azure.app_logs import AppLogs
from shared.deploys.platforms.azure.apps import AppRevision, Apps
from shared.deploys.platforms.azure.dockerfile import complete
from shared.deploys.platforms.azure.domains import Domains
from shared.deploys.platforms.azure.names import APPS_API, Place, app_name, place, revision_name
from shared.deploys.platforms.azure.registry import Registry, image_name
from shared.deploys.platforms.azure.releases import Releases
from shared.deploys.platforms.azure.waiting import Clock, Waiting, alone, pause
from shared.deploys.platforms.base import (
    AppHealth,
    AppLogPart,
    BuildContext,
    BuildProgress,
    DomainProgress,
    Promoted,
    ReleaseProgress,
    Revision,
    StepContext,
    Workspace,
    source_slow,
)
from shared.deploys.recipes.root import root_of
from shared.deploys.secrets import git_token, redactor, variables_of
from shared.deploys.settings import settings
from shared.platform.access.cookies import no_cookies
from shared.platform.calls.arm import BUSY, Json, ResourceManager
from shared.platform.calls.authorities import authorities
from shared.platform.errors import TerminalError, TransientError
from shared.platform.files import read_chunks, scratch_folder
from shared.platform.stores import blob_files

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

WEB_SECONDS: Final = 10
"""How long a signed address or an app may take to answer."""


class AzurePlatform:
    """Deploys to the place that the settings name.

    `azure` and `web` are for tests: the resource manager to speak to, and how signed addresses and apps are reached.
    """

    def __init__(
        self,
        azure: ResourceManager | None = None,
        *,
        web: AsyncBaseTransport | None = None,
    ) -> None:
        from httpx import AsyncClient  # noqa: PLC0415 - loads in the activity that needs it

        self._azure = azure or ResourceManager(client_id=settings().azure_deployer_client_id)
        # The apps of all tenants answer under one domain: a cookie that one sets would be sent to the next.
        self._web = AsyncClient(timeout=WEB_SECONDS, transport=web, cookies=no_cookies(), verify=authorities())
        self._where: Place = place()
        # Held by whoever uses the instance's temporary storage, which is too small for two large sources at once.
        self._storage = asyncio.Lock()
        self._registry = Registry(self._azure, self._where, self._web)
        self._apps = Apps(self._azure, self._where)
        self._logs = AppLogs(self._apps, self._web)
        self._waiting = Waiting(self._azure, settings().azure_poll_seconds)
        self._domains = Domains(self._azure, self._where, self._apps, self._waiting)
        self._releases = Releases(self._apps, self._web, self._waiting)

    async def close(self) -> None:
        """Close the connections."""
        await self._web.aclose()
        await self._azure.close()

    async def validate(self, spec: DeploymentSpec, step: StepContext) -> None:
        """See that the source was uploaded, that the environment is ready, and that the domain is the owner's."""
        await step.check()
        await step.unless_cancelled(self._validate(spec, step))

    async def provision(self, spec: DeploymentSpec, step: StepContext) -> Workspace:
        """Each build has a machine of its own, which ACR Tasks brings: what is provided is where its image goes."""
        await step.check()
        server = await step.unless_cancelled(self._registry.server())
        return Workspace(reference=f"{server}/{image_name(spec)}")

    async def sync(self, spec: DeploymentSpec, workspace: Workspace, step: StepContext) -> BuildContext:  # noqa: ARG002 - the port's
        """Pack the source, with a recipe if it has none, into a private blob."""
        await step.check()
        name = _context_name(spec)
        if await blob_files.blob_size(builds.CONTEXTS, name) is None:
            async with alone(self._storage, step), scratch_folder("manifold-context-") as scratch:
                return await self._pack(spec, step, scratch, name)
        return BuildContext(reference=name)

    async def build(
        self, spec: DeploymentSpec, context: BuildContext, step: StepContext, cursor: str | None = None
    ) -> BuildProgress:
        """Build by ACR Tasks; when cancelled, the run is cancelled as well."""
        try:
            return await builds.build(
                self._registry,
                spec,
                context.reference,
                step,
                cursor,
                poll_seconds=self._waiting.poll_seconds,
                storage=self._storage,
            )
        except DeploymentCancelled:
            await self._registry.forget(spec)
            raise

    async def release(
        self, spec: DeploymentSpec, image: str, step: StepContext, cursor: str | None = None
    ) -> ReleaseProgress:
        """Add a revision beside the one that serves, and wait until Container Apps and HTTP say that it is well."""
        values = await variables_of(spec.secrets_reference)
        return await self._releases.release(spec, image, values, step, cursor)

    async def promote(self, spec: DeploymentSpec, revision: Revision, step: StepContext) -> Promoted:
        """Move the traffic in one write. What served before stays with a weight of 0."""
        clock = Clock(step)
        await step.check()
        redact = await redactor(spec.secrets_reference, spec.plain_variables)
        app, candidate = await step.unless_cancelled(self._app_and_revision(spec))
        why = (
            "it is not there"
            if app is None or candidate is None
            else await self._releases.confirmed(spec, candidate, step, redact)
        )
        if app is None or candidate is None or why is not None:
            raise TerminalError(
                f"Revision {revision.name} is not healthy any more: {redact(str(why))}",
                code="revision-unhealthy",
                remedy="See the deployment's log for the end of the app's log.",
            )
        before = {name: 0 for name in bodies.traffic(app) if name != candidate.name}
        await self._waiting.finish(
            step, clock, await step.unless_cancelled(self._apps.route(spec, app, {candidate.name: 100, **before}))
        )
        await step.log(f"Revision {candidate.name} serves at {bodies.url(app)}")
        return Promoted(url=bodies.url(app))

    async def configure_domain(
        self, spec: DeploymentSpec, step: StepContext, cursor: str | None = None
    ) -> DomainProgress:
        """Go on from where the domain stands: unknown, without a certificate, bound."""
        return await self._domains.configure(spec, step, cursor)

    async def release_domain(self, spec: DeploymentSpec, domain: str) -> None:
        """Unbind it in one write, whose end is not waited for."""
        await self._domains.release(spec, domain)

    async def health(self, spec: DeploymentSpec) -> AppHealth | None:
        """As Container Apps sees the revision, with the restarts of its replicas that run at this moment."""
        revision = await self._apps.revision(spec)
        if revision is None or not revision.active:
            return None
        reason = None if revision.ready else f"It is {revision.provisioning}, {revision.running}, {revision.health}."
        return AppHealth(healthy=revision.ready, restarts=await self._apps.restarts(spec), reason=reason)

    async def rollback(self, spec: DeploymentSpec, step: StepContext) -> None:
        """Give the traffic back and stop the revision; an app that only this deployment ever made is deleted."""
        clock = Clock(step)
        app = await self._idle_app(spec, step, clock)
        if app is None:
            return
        name = revision_name(spec)
        revisions = await self._apps.revisions(spec)
        others = [one for one in revisions if one.name != name and one.active]
        shares = bodies.traffic(app)
        if not others:
            if (app.get("tags") or {}).get(bodies.TAG) == spec.deployment_id:
                await self._waiting.finish(step, clock, await self._apps.delete(spec))
                await step.log("The app was new, and is deleted")
            return
        if shares.get(name):
            known = [one.name for one in others if one.name in shares]
            previous = known[0] if known else others[0].name
            await self._waiting.finish(step, clock, await self._apps.route(spec, app, {previous: 100}))
            await step.log(f"Revision {previous} serves again")
        elif name in shares:
            left = {one: share for one, share in shares.items() if one != name}
            await self._waiting.finish(step, clock, await self._apps.route(spec, app, left))
        if any(one.name == name and one.active for one in revisions):
            await self._apps.deactivate(spec, name)

    async def cleanup(self, spec: DeploymentSpec, step: StepContext) -> None:
        """Forget the build; where the deployment serves, stop the revision before it and drop its secrets."""
        clock = Clock(step)
        await self._registry.forget(spec)
        await blob_files.delete_blob(builds.CONTEXTS, _context_name(spec))
        app = await self._idle_app(spec, step, clock)
        name = revision_name(spec)
        if app is None or bodies.traffic(app).get(name) != 100:  # noqa: PLR2004 - percent: all of it
            return
        await self._waiting.finish(step, clock, await self._apps.route(spec, app, {name: 100}))
        names = {one.name: one.active for one in await self._apps.revisions(spec)}
        newest_first = [*names]
        older = newest_first[newest_first.index(name) + 1 :] if name in names else []
        for one in older:  # a newer one is another deployment's that is at work
            if names[one]:
                await self._apps.deactivate(spec, one)
                await step.log(f"Revision {one} is stopped")
        app = await self._idle_app(spec, step, clock)
        if app is not None:
            await self._waiting.finish(step, clock, await self._apps.prune(spec, app))

    async def remove(self, app: AppRef, step: StepContext) -> None:
        """Delete the container app, and wait until Azure has. Images and certificates stay: they are not the app's."""
        clock = Clock(step)
        if await self._idle_app(app, step, clock) is not None:
            await self._waiting.finish(step, clock, await self._apps.delete(app))

    async def log_tail(self, spec: DeploymentSpec) -> str:
        """The ends of the log streams of the revision's replicas."""
        return await self._logs.tail(spec)

    async def log_from(self, spec: DeploymentSpec, cursor: str | None) -> AppLogPart | None:
        """What is new in the log streams of the revision's replicas, which give their ends only."""
        return await self._logs.following(spec, cursor)

    async def _validate(self, spec: DeploymentSpec, step: StepContext) -> None:
        source = spec.source
        if isinstance(source, ArchiveSource):
            await sources.require(spec.organization_id, spec.project_id, source.hash)
        environment = await self._azure.find(self._where.environment_of(spec.organization_id), APPS_API)
        state = environment["properties"].get("provisioningState") if environment else "missing"
        if environment is None or state != "Succeeded":
            raise TerminalError(
                f"The environment of the deployed apps is {state}.",
                code="environment-not-ready",
                remedy="Check CONTAINER_APPS_ENVIRONMENT_ID, ISOLATED_ENVIRONMENTS, and the environment in the portal.",
            )
        host = spec.custom_domain
        if host is None:
            return
        await self._domains.require_free(spec, host)
        app = await self._apps.find(spec)
        if app is None:
            await step.log(f"Set these DNS records: {domains.records_to_come(host, environment, app_name(spec))}")
        elif domains.bound(app, host) != "SniEnabled":
            await self._domains.check(spec, app, host)

    async def _pack(self, spec: DeploymentSpec, step: StepContext, scratch: Path, name: str) -> BuildContext:
        folder, archive = scratch / "source", scratch / "context.tar.gz"
        try:
            async with asyncio.timeout(step.seconds):
                fetched = await sources.fetch(
                    spec.source,
                    spec.organization_id,
                    spec.project_id,
                    folder,
                    cancelled=step.cancelled,
                    token=await git_token(spec.secrets_reference),
                )
        except TimeoutError:
            raise source_slow(step.seconds) from None
        await step.log(fetched.summary)
        root = await asyncio.to_thread(root_of, folder, spec.root_directory, (*spec.build_command, *spec.start_command))
        summary = (await asyncio.to_thread(complete, root.folder, spec)).noting(root.note)
        await step.log(summary.log)
        packing = in_thread(lambda cancelled: sources.pack(root.folder, archive, cancelled=cancelled))
        await step.unless_cancelled(packing)
        await step.unless_cancelled(blob_files.create_blob(builds.CONTEXTS, name, read_chunks(archive)))
        return BuildContext(reference=name, commit=fetched.commit, runtime=summary.runtime, notes=summary.notes)

    async def _app_and_revision(self, spec: DeploymentSpec) -> tuple[Json | None, AppRevision | None]:
        return await self._apps.find(spec), await self._apps.revision(spec)

    async def _idle_app(self, ref: AppRef, step: StepContext, clock: Clock) -> Json | None:
        """The app, once Azure has done what was requested before."""
        while (app := await self._apps.find(ref)) is not None and bodies.busy(app):
            if clock.over(self._waiting.poll_seconds):
                raise TransientError("Azure is still busy with the app.", code=BUSY)
            await pause(step, self._waiting.poll_seconds)
        return app


def _context_name(spec: DeploymentSpec) -> str:
    return f"{spec.organization_id}/{spec.deployment_id}.tar.gz"
