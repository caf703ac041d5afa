"""Which revision of an app runs and which one serves; every step finds what it did before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable

from local.apps.commands.logs import read_end, read_on
from local.apps.deployments import Deployments
from local.apps.errors import Refusal
from local.apps.images.building import Building
from local.apps.orders import AppState, LogState, ReleaseOrder, ReleaseState, RevisionHealth
from local.apps.plans import NotBuildable, plan_of
from local.apps.revisions.proxy import Listener, make_client
from local.apps.revisions.revision import Health, Revision
from local.apps.revisions.starting import start_revision
from local.apps.state import AppRow
from local.processes import LOOPBACK

_LOG_TAIL = 65_536
"""More than is shown: whoever shows it hides values that may begin before."""
_RETIRE_SECONDS = 8
"""How long a step waits for a revision that it replaces; the platform waits on without it."""


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
        self._retiring: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Start again what ran when the platform ended, and forget what was half done."""
        for row in self._state.deployments():
            app = self._state.app(row.app)
            if row.ended:
                await self._deployments.remove_files(app, row.id)
                continue
            if row.build == "running":
                self._state.set_build(row.id, "none")
            if row.revision in ("starting", "healthy"):
                self._start(app, row.id, proven=row.revision == "healthy")
        for app in self._state.apps():
            self._serving[app.number] = self._revisions.get(app.serving or "")
            await self._listen(app)

    async def close(self) -> None:
        """Stop everything; what serves now is started again by `resume`."""
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        for retiring in self._retiring:
            retiring.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(revision.stop() for revision in self._revisions.values()))
        await self._client.aclose()

    async def open(self, deployment: str) -> None:
        """Listen where the app will answer, before another program does."""
        await self._listen(self._state.app(self._deployments.row_of(deployment).app))

    async def release(self, deployment: str, order: ReleaseOrder) -> None:
        """Begin to start the image as a revision without traffic, unless that was begun."""
        async with self._turns[deployment]:
            row = self._deployments.row_of(deployment)
            if row.revision != "none":
                return
            if row.build != "done":
                raise Refusal(409, "not-built", "The deployment is not built.")
            app, workspace = self._state.app(row.app), self._deployments.workspace_of(row)
            try:
                plan = plan_of(workspace.source)
            except NotBuildable as refusal:
                self._state.set_revision(deployment, "failed", str(refusal))
                return
            resolved = order.model_copy(update={"command": plan.start, "usual": plan.environment})
            await asyncio.to_thread(workspace.write_private, workspace.orders, resolved.model_dump_json())
            self._state.set_revision(deployment, "starting")
            self._start(app, deployment, proven=False)

    async def released(self, deployment: str, wait_seconds: float) -> ReleaseState:
        """How the revision is; an answer that is not the end may take `wait_seconds`."""
        revision = self._revisions.get(deployment)
        if revision is not None:
            await revision.judged(wait_seconds)
        row = self._deployments.row_of(deployment)
        port = revision.port if revision else None
        log = await asyncio.to_thread(read_end, self._deployments.workspace_of(row).app_log, _LOG_TAIL)
        url = f"http://{LOOPBACK}:{port}" if port else None
        return ReleaseState.model_validate({"state": row.revision, "url": url, "reason": row.reason, "log": log})

    async def promote(self, deployment: str) -> str:
        """Give the traffic to the revision if it is healthy now; where the app answers."""
        row = self._deployments.row_of(deployment)
        async with self._turns[f"app {row.app}"]:
            app = self._state.app(row.app)
            if app.serving != deployment:
                revision = self._revisions.get(deployment)
                wrong = await revision.complaint() if revision else "it does not run"
                if revision is None or wrong is not None:
                    raise Refusal(409, "revision-unhealthy", f"The new revision gets no requests: {wrong}.")
                self._state.serve(app.number, deployment, app.serving)
                self._serving[app.number] = revision
                if app.previous:
                    await self._remove(app, app.previous)
            return self.url(app)

    async def rollback(self, deployment: str) -> None:
        """Let the previous revision serve again, and remove this one."""
        row = self._state.deployment(deployment)
        if row is None or row.ended:
            return
        async with self._turns[f"app {row.app}"]:
            app = self._state.app(row.app)
            if app.serving == deployment:
                if row.settled:
                    return
                self._state.serve(app.number, app.previous, None)
                self._serving[app.number] = self._revisions.get(app.previous or "")
            if app.previous != deployment:
                await self._remove(app, deployment)

    async def cleanup(self, deployment: str) -> None:
        """Keep of this deployment, and of those before it, what serves or may serve again, and nothing else."""
        await self._building.cancel(deployment)
        row = self._state.deployment(deployment)
        if row is None or row.ended:
            return
        async with self._turns[f"app {row.app}"]:
            app = self._state.app(row.app)
            for before in self._state.deployments_up_to(deployment):
                if before.app == app.number and not before.ended and before.id not in (app.serving, app.previous):
                    await self._remove(app, before.id)
            if deployment not in (app.serving, app.previous):
                return
            await asyncio.to_thread(shutil.rmtree, self._deployments.workspace_of(row).source, ignore_errors=True)
            if app.serving == deployment:
                self._state.settle(deployment)
                if app.previous:
                    self._state.serve(app.number, deployment, None)
                    await self._remove(app, app.previous)

    async def bind(self, deployment: str, domain: str) -> None:
        row = self._deployments.row_of(deployment)
        if self._state.bind(domain, row.app) != row.app:
            raise Refusal(409, "domain-taken", f"{domain} is bound to another app.")

    def owner(self, domain: str) -> AppRow | None:
        """The app that has the domain."""
        number = self._state.bound(domain)
        return None if number is None else self._state.app(number)

    async def unbind(self, domain: str, organization: str, project: str, environment: str) -> None:
        """Let the app have the domain no more; one that it has not is no error."""
        app = self._state.find_app(organization, project, environment)
        if app is not None:
            self._state.unbind(domain, app.number)

    def health(self, deployment: str) -> RevisionHealth | None:
        """How the deployment's revision is doing; None if it does not run."""
        revision = self._revisions.get(deployment)
        return None if revision is None else revision.condition()

    def bound(self, domain: str) -> tuple[bool, Revision | None]:
        """Whether the domain is bound, and the revision that answers there."""
        number = self._state.bound(domain)
        return number is not None, self._serving.get(number) if number is not None else None

    def apps(self) -> list[AppState]:
        return [self._app(app) for app in self._state.apps()]

    async def log(self, organization: str, project: str, environment: str) -> str:
        """The tail of the log of the revision that serves."""
        app = self._state.find_app(organization, project, environment)
        if app is None or app.serving is None:
            raise Refusal(404, "no-app", "No revision of this app serves.")
        return await asyncio.to_thread(read_end, self._deployments.workspace(app, app.serving).app_log, _LOG_TAIL)

    async def log_from(self, deployment: str, after: int | None) -> LogState:
        """The log of the deployment's revision from byte `after` on, or (None) its tail; empty where it has none."""
        row = self._state.deployment(deployment)
        if row is None or row.ended:
            return LogState()
        path = self._deployments.workspace_of(row).app_log
        part = await asyncio.to_thread(read_on, path, after, _LOG_TAIL)
        running = deployment in self._revisions
        return LogState(before=part.before, log=part.text, next=part.following, running=running)

    async def remove_app(self, organization: str, project: str, environment: str) -> None:
        """Stop the app and remove all its revisions. Its address stays its own."""
        app = self._state.find_app(organization, project, environment)
        if app is None:
            raise Refusal(404, "no-app", "There is no such app.")
        async with self._turns[f"app {app.number}"]:
            self._state.serve(app.number, None, None)
            self._state.unbind_all(app.number)
            self._serving[app.number] = None
            for row in self._state.deployments():
                if row.app == app.number and not row.ended:
                    await self._building.cancel(row.id)
                    await self._remove(app, row.id)

    @staticmethod
    def url(app: AppRow) -> str:
        return f"http://{LOOPBACK}:{app.port}"

    def _app(self, app: AppRow) -> AppState:
        revision = self._serving.get(app.number)
        running = [row.id for row in self._state.deployments() if row.app == app.number and row.id in self._revisions]
        return AppState(
            organization=app.organization,
            project=app.project,
            environment=app.environment,
            url=self.url(app),
            serving=app.serving,
            previous=app.previous,
            health=revision.health if revision else None,
            restarts=revision.restarts if revision else 0,
            revisions=running,
        )

    def _start(self, app: AppRow, deployment: str, *, proven: bool) -> None:
        workspace = self._deployments.workspace(app, deployment)

        def judged(health: Health, reason: str | None) -> None:
            if health is Health.FAILED:
                self._revisions.pop(deployment, None)
            self._state.set_revision(deployment, "failed" if health is Health.FAILED else "healthy", reason)

        self._revisions[deployment] = start_revision(
            self._deployments.workspaces, workspace, app.number, self._client, proven=proven, on_judged=judged
        )

    async def _listen(self, app: AppRow) -> None:
        if app.number not in self._listeners:

            def serving() -> Revision | None:
                return self._serving.get(app.number)

            self._listeners[app.number] = Listener(app.port, self._client, serving, self._say)
        await self._listeners[app.number].opened()

    async def _remove(self, app: AppRow, deployment: str) -> None:
        """Stop a deployment's revision once its requests are answered, and delete its files. It does not come back.

        Requests that take long are waited for in the background.
        """
        self._state.end(deployment)
        await self._building.cancel(deployment)
        retiring = asyncio.create_task(self._retire(app, deployment, self._revisions.pop(deployment, None)))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        await asyncio.wait([retiring], timeout=_RETIRE_SECONDS)

    async def _retire(self, app: AppRow, deployment: str, revision: Revision | None) -> None:
        try:
            if revision is not None:
                await revision.drain()
        finally:
            if revision is not None:
                await revision.stop()
            await self._deployments.remove_files(app, deployment)
