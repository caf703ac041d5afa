"""The deployments that the platform knows: their rows, their folders, and one turn at a time for each."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict

from local.apps.errors import Refusal
from local.apps.state import DeploymentRow, ProjectRow, State
from local.apps.workspaces import Workspace, Workspaces
from local.processes import free_port


class Deployments:
    """What was provisioned and has not ended."""

    def __init__(self, state: State, workspaces: Workspaces) -> None:
        self.state = state
        self.workspaces = workspaces
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def provision(self, deployment: str, organization: str, name: str) -> None:
        async with self.turns[deployment]:
            project = self.state.find_project(organization, name)
            project = project or self.state.add_project(organization, name, free_port())
            self.state.add_deployment(deployment, project.number)
            found = self.known(deployment)
            if found.project != project.number:
                raise Refusal(409, "deployment-taken", "This deployment belongs to another project.")
            uid = self.workspaces.uid(project.number)
            await asyncio.to_thread(self.workspace(project, deployment).make, uid)

    def known(self, deployment: str) -> DeploymentRow:
        """The deployment's row. Refused: it was never provisioned, or was removed."""
        row = self.state.deployment(deployment)
        if row is None:
            raise Refusal(404, "no-deployment", "This deployment was not provisioned.")
        if row.ended:
            raise Refusal(409, "deployment-over", "This deployment was removed and does not come back.")
        return row

    def workspace_of(self, row: DeploymentRow) -> Workspace:
        return self.workspace(self.state.project(row.project), row.id)

    def workspace(self, project: ProjectRow, deployment: str) -> Workspace:
        return self.workspaces.workspace(project.organization, project.project, deployment)

    async def remove_files(self, project: ProjectRow, deployment: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self.workspace(project, deployment).root, ignore_errors=True)
