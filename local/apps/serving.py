"""Which revision of an app runs and which one serves; every step finds what it did before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable

from local.apps.building import Building
from local.apps.deployments import Deployments
from local.apps.errors import Refusal
from local.apps.logs import read_log
from local.apps.orders import AppState, ReleaseOrder, ReleaseState
from local.apps.proxy import Listener, make_client
from local.apps.recipes import NoRecipeError, recipe
from local.apps.revision import Health, Revision
from local.apps.starting import start_revision
from local.apps.state import ProjectRow
from local.processes import LOOPBACK

_LOG_TAIL = 16_384


class Serving:
    """The apps that run here. Made inside the event loop that it lives in."""

    def __init__(self, deployments: Deployments, building: Building, say: Callable[[str], None]) -> None:
        self._deployments = deployments
        self._building = building
        self._state = deployments.state
        self._turns = deployments.turns
        self._say = say
        self._client = make_client()
        self._revisions: dict[str, Revision] = {}
        self._listeners: dict[int, Listener] = {}
        self._serving: dict[int, Revision | None] = {}

    async def resume(self) -> None:
        """Start again what ran when the platform ended, and forget what was half done."""
        for row in self._state.deployments():
            project = self._state.project(row.project)
            if row.ended:
                await self._deployments.remove_files(project, row.id)
                continue
            if row.build == "running":
                self._state.set_build(row.id, "none")
            if row.revision in ("starting", "healthy"):
                self._start(project, row.id, proven=row.revision == "healthy")
        for project in self._state.projects():
            self._serving[project.number] = self._revisions.get(project.serving or "")
            await self._listen(project)

    async def close(self) -> None:
        """Stop everything; what serves now is started again by `resume`."""
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        await asyncio.gather(*(revision.stop() for revision in self._revisions.values()))
        await self._client.aclose()

    async def release(self, deployment: str, order: ReleaseOrder) -> None:
        """Begin to start the image as a revision without traffic, unless that was begun."""
        async with self._turns[deployment]:
            row = self._deployments.known(deployment)
            if row.revision != "none":
                return
            if row.build != "done":
                raise Refusal(409, "not-built", "The deployment is not built.")
            project, workspace = self._state.project(row.project), self._deployments.workspace_of(row)
            try:
                recipe(workspace.image, (), order.command)
            except NoRecipeError as error:
                self._state.set_revision(deployment, "failed", f"There is no start command, and {error}.")
                return
            await asyncio.to_thread(workspace.write_private, workspace.orders, order.model_dump_json())
            self._state.set_revision(deployment, "starting")
            self._start(project, deployment, proven=False)
            await self._listen(project)

    async def released(self, deployment: str, wait_s: float) -> ReleaseState:
        """How the revision is; an answer that is not the end may take `wait_s`."""
        revision = self._revisions.get(deployment)
        if revision is not None:
            await revision.judged(wait_s)
        row = self._deployments.known(deployment)
        port = revision.port if revision else None
        log, _ = await asyncio.to_thread(read_log, self._deployments.workspace_of(row).app_log, 0)
        url = f"http://{LOOPBACK}:{port}" if port else None
        return ReleaseState.model_validate(
            {"state": row.revision, "url": url, "reason": row.reason, "log": log[-_LOG_TAIL:]}
        )

    async def promote(self, deployment: str) -> str:
        """Give the traffic to the revision if it is healthy now; where the app answers."""
        row = self._deployments.known(deployment)
        async with self._turns[f"project {row.project}"]:
            project = self._state.project(row.project)
            if project.serving != deployment:
                revision = self._revisions.get(deployment)
                if revision is None or not await revision.answers():
                    raise Refusal(409, "revision-unhealthy", "The new revision is not healthy; the one before serves.")
                self._state.serve(project.number, deployment, project.serving)
                self._serving[project.number] = revision
                if project.previous:
                    await self._remove(project, project.previous)
            return self.url(project)

    async def rollback(self, deployment: str) -> None:
        """Let the previous revision serve again, and remove this one."""
        row = self._state.deployment(deployment)
        if row is None or row.ended:
            return
        async with self._turns[f"project {row.project}"]:
            project = self._state.project(row.project)
            if project.serving == deployment:
                if row.settled:
                    return
                self._state.serve(project.number, project.previous, None)
                self._serving[project.number] = self._revisions.get(project.previous or "")
            if project.previous != deployment:
                await self._remove(project, deployment)

    async def cleanup(self, deployment: str) -> None:
        """Keep of this deployment what serves, or may serve again, and nothing else."""
        await self._building.stop(deployment)
        row = self._state.deployment(deployment)
        if row is None or row.ended:
            return
        async with self._turns[f"project {row.project}"]:
            project = self._state.project(row.project)
            if deployment not in (project.serving, project.previous):
                await self._remove(project, deployment)
                return
            await asyncio.to_thread(shutil.rmtree, self._deployments.workspace_of(row).source, ignore_errors=True)
            if project.serving == deployment:
                self._state.settle(deployment)
                if project.previous:
                    self._state.serve(project.number, deployment, None)
                    await self._remove(project, project.previous)

    async def bind(self, deployment: str, domain: str) -> None:
        row = self._deployments.known(deployment)
        if self._state.bind(domain, row.project) != row.project:
            raise Refusal(409, "domain-taken", f"{domain} is bound to another app.")

    def bound(self, domain: str) -> tuple[bool, Revision | None]:
        """Whether the domain is bound, and the revision that answers there."""
        number = self._state.bound(domain)
        return number is not None, self._serving.get(number) if number is not None else None

    def apps(self) -> list[AppState]:
        return [self._app(project) for project in self._state.projects()]

    async def log(self, organization: str, name: str) -> str:
        """The last words of the revision that serves."""
        project = self._state.find_project(organization, name)
        if project is None or project.serving is None:
            raise Refusal(404, "no-app", "No revision of this app serves.")
        path = self._deployments.workspace(project, project.serving).app_log
        start = max(path.stat().st_size - _LOG_TAIL, 0) if path.exists() else 0
        return (await asyncio.to_thread(read_log, path, start))[0]

    async def remove_app(self, organization: str, name: str) -> None:
        """Stop the app and remove all its revisions. Its address stays its own."""
        project = self._state.find_project(organization, name)
        if project is None:
            raise Refusal(404, "no-app", "There is no such app.")
        async with self._turns[f"project {project.number}"]:
            self._state.serve(project.number, None, None)
            self._serving[project.number] = None
            for row in self._state.deployments():
                if row.project == project.number and not row.ended:
                    await self._building.stop(row.id)
                    await self._remove(project, row.id)

    @staticmethod
    def url(project: ProjectRow) -> str:
        return f"http://{LOOPBACK}:{project.port}"

    def _app(self, project: ProjectRow) -> AppState:
        revision = self._serving.get(project.number)
        running = [
            row.id for row in self._state.deployments() if row.project == project.number and row.id in self._revisions
        ]
        return AppState(
            organization=project.organization,
            project=project.project,
            url=self.url(project),
            serving=project.serving,
            previous=project.previous,
            health=revision.health if revision else None,
            restarts=revision.restarts if revision else 0,
            revisions=running,
        )

    def _start(self, project: ProjectRow, deployment: str, *, proven: bool) -> None:
        workspace = self._deployments.workspace(project, deployment)

        def found(health: Health, reason: str | None) -> None:
            if health is Health.FAILED:
                self._revisions.pop(deployment, None)
            self._state.set_revision(deployment, "failed" if health is Health.FAILED else "healthy", reason)

        self._revisions[deployment] = start_revision(
            self._deployments.workspaces, workspace, project.number, self._client, proven=proven, found=found
        )

    async def _listen(self, project: ProjectRow) -> None:
        if project.number not in self._listeners:

            def serving() -> Revision | None:
                return self._serving.get(project.number)

            self._listeners[project.number] = Listener(project.port, self._client, serving, self._say)
        await self._listeners[project.number].opened()

    async def _remove(self, project: ProjectRow, deployment: str) -> None:
        """Stop a deployment's revision once its requests are answered, and delete its files. It does not come back."""
        self._state.end(deployment)
        await self._building.stop(deployment)
        if revision := self._revisions.pop(deployment, None):
            await revision.drain()
            await revision.stop()
        await self._deployments.remove_files(project, deployment)
