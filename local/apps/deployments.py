"""The deployments that the platform knows: their rows, their folders, and one turn at a time for each."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict

from local.apps.errors import Refusal
from local.apps.orders import Provision
from local.apps.state import AppRow, DeploymentRow, State
from local.apps.workspaces import Workspace, Workspaces
from local.processes import free_port


class Deployments:
    """What was provisioned and has not ended."""

    def __init__(self, state: State, workspaces: Workspaces) -> None:
        self.state = state
        self.workspaces = workspaces
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def provision(self, deployment: str, whose: Provision) -> None:
        """Make the deployment's folder, and the app's row and port if this is its first deployment."""
        async with self.turns[deployment]:
            key = (whose.organization, whose.project, whose.environment)
            app = self.state.find_app(*key) or self.state.add_app(*key, free_port())
            self.state.add_deployment(deployment, app.number)
            if self.row_of(deployment).app != app.number:
                raise Refusal(409, "deployment-taken", "This deployment belongs to another app.")
            uid = self.workspaces.uid(app.number)
            await asyncio.to_thread(self.workspace(app, deployment).make, uid)

    def row_of(self, deployment: str) -> DeploymentRow:
        """The deployment's row. Refused: it was never provisioned, or was removed."""
        row = self.state.deployment(deployment)
        if row is None:
            raise Refusal(404, "no-deployment", "This deployment was not provisioned.")
        if row.ended:
            raise Refusal(409, "deployment-over", "This deployment was removed and does not come back.")
        return row

    def workspace_of(self, row: DeploymentRow) -> Workspace:
        return self.workspace(self.state.app(row.app), row.id)

    def workspace(self, app: AppRow, deployment: str) -> Workspace:
        return self.workspaces.workspace(app.organization, app.project, deployment)

    async def remove_files(self, app: AppRow, deployment: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self.workspace(app, deployment).root, ignore_errors=True)
