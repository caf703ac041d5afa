"""The embedded platform: apps built and run on this machine by a supervisor that outlives the app's own host.

This adapter calls it over HTTP (LOCAL_PLATFORM_URL, LOCAL_PLATFORM_TOKEN). The supervisor remembers the requests of
every deployment, so that each request here can be repeated.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from shared.deploys import sources
from shared.deploys.cancellation import in_thread
from shared.deploys.models import AppRef, ArchiveSource, DeploymentSpec
from shared.deploys.platforms.base import (
    LOG_CHARACTERS,
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
    domain_in_use,
    source_slow,
)
from shared.deploys.platforms.local import supervisor
from shared.deploys.platforms.local.planning import write_plan
from shared.deploys.platforms.local.supervisor import POLL_SECONDS, poll, request
from shared.deploys.recipes import Versions
from shared.deploys.recipes.root import root_of
from shared.deploys.secrets import git_token, redactor, redactor_for, variables_of
from shared.deploys.settings import settings
from shared.platform.errors import NotFound, TerminalError
from shared.platform.files import read_chunks, scratch_folder

if TYPE_CHECKING:
    from httpx import AsyncClient

HEALTH_SECONDS: Final = 60
"""That an app may take to answer, where its deployment does not say."""
_GRACE_SECONDS: Final = 60
"""The orchestration's clock ends a deployment that takes too long; the builder's own limit comes after it."""
_GIB = 2**30


class LocalPlatform:
    """Builds and runs apps through `python -m local.apps`."""

    def __init__(self) -> None:
        self._url = settings().local_platform_url.rstrip("/")
        self._token = settings().local_platform_token.get_secret_value()

    async def validate(self, spec: DeploymentSpec, step: StepContext) -> None:
        await step.check()
        async with self._http() as http:
            await request(http, "GET", "/v1/apps")
            if spec.custom_domain is not None:
                answer = await request(http, "GET", f"/v1/domains/{spec.custom_domain}")
                if answer["app"] not in (None, _app(spec)):
                    raise domain_in_use(spec.custom_domain)
        if isinstance(spec.source, ArchiveSource):
            await sources.require(spec.organization_id, spec.project_id, spec.source.hash)

    async def provision(self, spec: DeploymentSpec, step: StepContext) -> Workspace:
        await step.check()
        async with self._http() as http:
            await request(http, "PUT", _path(spec), json=_app(spec))
        return Workspace(reference=spec.deployment_id)

    async def sync(self, spec: DeploymentSpec, workspace: Workspace, step: StepContext) -> BuildContext:
        async with scratch_folder("manifold-sync-") as scratch:
            folder, archive = scratch / "source", scratch / "source.tar.gz"
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
                    await step.log(fetched.summary)
                    commands = (*spec.build_command, *spec.start_command)
                    root = await asyncio.to_thread(root_of, folder, spec.root_directory, commands)
                    written = await asyncio.to_thread(write_plan, root.folder, spec, await self._versions())
                    summary = written.noting(root.note)
                    await step.log(summary.log)
                    await step.check()
                    packing = in_thread(lambda cancelled: sources.pack(root.folder, archive, cancelled=cancelled))
                    await step.unless_cancelled(packing)
                    await step.unless_cancelled(self._send(spec, archive))
            except TimeoutError:
                raise source_slow(step.seconds) from None
        return BuildContext(
            reference=workspace.reference, commit=fetched.commit, runtime=summary.runtime, notes=summary.notes
        )

    async def build(
        self, spec: DeploymentSpec, context: BuildContext, step: StepContext, cursor: str | None = None
    ) -> BuildProgress:
        config = settings()
        body = {
            "environment": await variables_of(spec.secrets_reference),
            "plain": spec.plain_variables,
            "memory": int(config.build_container_memory * _GIB),
            "cores": config.build_container_cpu,
            "seconds": config.deployment_timeout_ms / 1000 + _GRACE_SECONDS,
        }
        after, deadline = int(cursor or 0), monotonic() + step.seconds
        async with self._http() as http:
            await step.check()
            await request(http, "POST", f"{_path(spec)}/build", json=body)
            while True:
                progress = f"{_path(spec)}/build?after={after}&wait={POLL_SECONDS}"
                state = await poll(http, progress, step, undo=("DELETE", f"{_path(spec)}/build"))
                if state["log"]:
                    await step.log(state["log"])
                more, after = state["next"] > after, state["next"]
                if state["state"] == "done" and not more:
                    return BuildProgress(done=True, image=context.reference)
                if state["state"] == "failed" and not more:
                    raise TerminalError(
                        f"The build failed: {state['reason']}",
                        code="build-failed",
                        remedy="See the log, mend the source or the build command, and deploy again.",
                    )
                if state["state"] == "none":  # the supervisor was restarted, and knows of no half build
                    after = 0
                    await step.log("The builder was restarted; the build begins again.")
                    await request(http, "POST", f"{_path(spec)}/build", json=body)
                if monotonic() > deadline:
                    return BuildProgress(done=False, cursor=str(after))

    async def release(
        self,
        spec: DeploymentSpec,
        image: str,  # noqa: ARG002 - the port's; the deployment's id says enough
        step: StepContext,
        cursor: str | None = None,  # noqa: ARG002 - as above
    ) -> ReleaseProgress:
        variables = await variables_of(spec.secrets_reference)
        body = {
            "environment": variables,
            "plain": spec.plain_variables,
            "memory": int(float(spec.scale.size.memory.removesuffix("Gi")) * _GIB),
            "seconds": spec.health_seconds or HEALTH_SECONDS,
            "health_path": spec.health_path,
        }
        redact = redactor_for(variables, spec.plain_variables)
        deadline = monotonic() + step.seconds
        async with self._http() as http:
            await step.check()
            await request(http, "POST", f"{_path(spec)}/release", json=body)
            while True:
                progress = f"{_path(spec)}/release?wait={POLL_SECONDS}"
                state = await poll(http, progress, step, undo=("POST", f"{_path(spec)}/rollback"))
                if state["state"] in ("healthy", "failed"):
                    if tail := redact.end(state["log"], LOG_CHARACTERS):
                        await step.log(tail)
                    return ReleaseProgress(done=True, revision=self._revision(spec, state))
                if monotonic() > deadline:
                    return ReleaseProgress(done=False, cursor="starting")

    async def promote(self, spec: DeploymentSpec, revision: Revision, step: StepContext) -> Promoted:  # noqa: ARG002 - as above
        await step.check()
        async with self._http() as http:
            answer = await request(http, "POST", f"{_path(spec)}/promote")
        return Promoted(url=answer["url"])

    async def configure_domain(
        self,
        spec: DeploymentSpec,
        step: StepContext,
        cursor: str | None = None,  # noqa: ARG002 - the port's
    ) -> DomainProgress:
        """Bind the domain to the app, over http: whoever sends its name as Host to the supervisor reaches the app."""
        await step.check()
        async with self._http() as http:
            try:
                answer = await request(http, "PUT", f"{_path(spec)}/domain", json={"domain": spec.custom_domain})
            except TerminalError as refused:
                raise domain_in_use(str(spec.custom_domain)) if refused.code == "domain-taken" else refused from None
        return DomainProgress(done=True, url=answer["url"])

    async def release_domain(self, spec: DeploymentSpec, domain: str) -> None:
        async with self._http() as http:
            await request(http, "DELETE", f"/v1/domains/{domain}", params=_app(spec))

    async def health(self, spec: DeploymentSpec) -> AppHealth | None:
        """As the supervisor sees it: a revision that was restarted within the last minute is not healthy."""
        async with self._http() as http:
            answer = await request(http, "GET", f"{_path(spec)}/health")
        return AppHealth.model_validate(answer["health"]) if answer["health"] else None

    async def rollback(self, spec: DeploymentSpec, step: StepContext) -> None:  # noqa: ARG002 - the port's
        async with self._http() as http:
            await request(http, "POST", f"{_path(spec)}/rollback")

    async def cleanup(self, spec: DeploymentSpec, step: StepContext) -> None:  # noqa: ARG002 - the port's
        async with self._http() as http:
            await request(http, "DELETE", _path(spec))

    async def remove(self, app: AppRef, step: StepContext) -> None:  # noqa: ARG002 - the port's
        async with self._http() as http:
            with suppress(NotFound):
                await request(http, "DELETE", f"/v1/apps/{app.organization_id}/{app.project_id}/{app.environment}")

    async def log_tail(self, spec: DeploymentSpec) -> str:
        """The end of the log that the supervisor writes, up to 16 KB."""
        try:
            redact = await redactor(spec.secrets_reference, spec.plain_variables)
        except NotFound:  # deleted, as it was replaced long ago: its log could not be redacted
            return ""
        async with self._http() as http:
            log = (await request(http, "GET", f"{_path(spec)}/app-log"))["log"]
        return redact.end(log, LOG_CHARACTERS, goes_on=True)

    async def log_from(self, spec: DeploymentSpec, cursor: str | None) -> AppLogPart | None:
        """By the byte of the app's whole log, of which the supervisor keeps the end."""
        try:
            redact = await redactor(spec.secrets_reference, spec.plain_variables)
        except NotFound:  # as above: what was replaced long ago does not run
            return None
        after = f"?after={int(cursor.partition('.')[0])}" if cursor else ""
        async with self._http() as http:
            part = await request(http, "GET", f"{_path(spec)}/app-log{after}")
        if not part["running"]:
            return None
        redacted, length = redact.part(part["before"], part["log"])
        text = redacted if cursor else redact.end(redacted, LOG_CHARACTERS)
        return AppLogPart(text=text, cursor=str(part["next"] - len(part["log"][length:].encode())))

    def _revision(self, spec: DeploymentSpec, state: dict[str, Any]) -> Revision:
        return Revision(
            name=spec.deployment_id,
            url=state["url"] or self._url,
            healthy=state["state"] == "healthy",
            reason=state["reason"],
        )

    async def _versions(self) -> Versions:
        async with self._http() as http:
            runtimes = await request(http, "GET", "/v1/runtimes")
        usual = Versions()
        return Versions(tuple(runtimes["node"]) or usual.node, tuple(runtimes["python"]) or usual.python)

    async def _send(self, spec: DeploymentSpec, archive: Path) -> None:
        async with self._http() as http:
            await request(http, "PUT", f"{_path(spec)}/source", content=read_chunks(archive))

    def _http(self) -> AbstractAsyncContextManager[AsyncClient]:
        return supervisor.client(self._url, self._token)


def _app(spec: DeploymentSpec) -> dict[str, str]:
    return {"organization": spec.organization_id, "project": spec.project_id, "environment": spec.environment}


def _path(spec: DeploymentSpec) -> str:
    return f"/v1/deployments/{spec.deployment_id}"
