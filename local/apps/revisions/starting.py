"""How the image of a deployment becomes a running revision."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from local.apps.commands.logs import LogFile
from local.apps.commands.masking import Mask
from local.apps.commands.process import Command, ProcessLimits
from local.apps.orders import ReleaseOrder
from local.apps.plans import PORT
from local.apps.revisions.revision import Health, Revision
from local.apps.workspaces import Workspace, Workspaces

STOP_SECONDS = 5.0
"""How long an app may take to end when it is asked to."""
LOOK_SECONDS = 1.0
DISK_EVERY_SECONDS = 30.0
"""An app may have many files, and runs for long."""


def start_revision(
    workspaces: Workspaces,
    workspace: Workspace,
    app: int,
    client: httpx.AsyncClient,
    *,
    proven: bool,
    on_judged: Callable[[Health, str | None], None],
) -> Revision:
    """Start what the workspace's orders say; see Revision for `proven` and `found`."""
    order = ReleaseOrder.model_validate_json(workspace.orders.read_text())
    environment = workspaces.environment(workspace, order.environment)
    uid = workspaces.uid(app)

    def command(port: int) -> Command:
        usual = {name: value.replace(PORT, str(port)) for name, value in order.usual.items()}
        return Command(
            words=tuple(word.replace(PORT, str(port)) for word in order.command),
            folder=workspace.image,
            disk_of=workspace.root,
            environment=usual | environment | {"PORT": str(port)},
            limits=ProcessLimits(memory=order.memory, disk_every_seconds=DISK_EVERY_SECONDS),
            uid=uid,
            grace_seconds=STOP_SECONDS,
            look_seconds=LOOK_SECONDS,
        )

    log = LogFile(workspace.app_log, Mask(order.secrets), rotate=True)
    return Revision(
        command,
        log,
        client,
        proven=proven,
        health_seconds=order.seconds,
        health_path=order.health_path,
        on_judged=on_judged,
    )
