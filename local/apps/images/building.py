"""From an archive to an image: the source of a deployment is taken, and its build is begun, watched and cancelled."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator

from local.apps.commands.logs import read_log
from local.apps.deployments import Deployments
from local.apps.errors import Refusal
from local.apps.images.archives import ARCHIVE_BYTES, ArchiveRefused, unpack
from local.apps.images.builds import Build
from local.apps.orders import BuildOrder, BuildState

TRUST = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
    *("NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CAFILE", "YARN_HTTPS_CA_FILE_PATH"),
)
"""Which certificates this machine trusts, as behind a company's proxy: package managers fetch from there as well."""


class Building:
    """The builds under way. Made inside the event loop that it lives in."""

    def __init__(self, deployments: Deployments) -> None:
        self._deployments = deployments
        self._state = deployments.state
        self._builds: dict[str, Build] = {}

    async def receive(self, deployment: str, body: AsyncIterator[bytes]) -> None:
        """Take the source as an archive, unless it is there."""
        async with self._deployments.turns[deployment]:
            workspace = self._deployments.workspace_of(self._deployments.row_of(deployment))
            if workspace.source.exists():
                return
            archive, partial = workspace.root / "source.archive", workspace.root / "source.partial"
            await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
            size = 0
            with archive.open("wb") as file:
                async for chunk in body:
                    size += len(chunk)
                    if size > ARCHIVE_BYTES:
                        raise Refusal(413, "source-too-large", "The source is too large.")
                    file.write(chunk)
            try:
                await asyncio.to_thread(unpack, archive, partial)
            except ArchiveRefused as error:
                raise Refusal(400, "source-refused", str(error)) from None
            finally:
                archive.unlink()
            partial.rename(workspace.source)

    async def build(self, deployment: str, order: BuildOrder) -> None:
        """Begin to build, unless that was begun or is done."""
        async with self._deployments.turns[deployment]:
            row = self._deployments.row_of(deployment)
            if row.build != "none":
                return
            workspace = self._deployments.workspace_of(row)
            if not workspace.source.exists():
                raise Refusal(409, "no-source", "The source is not here yet.")
            workspaces = self._deployments.workspaces
            self._state.set_build(deployment, "running")
            trust = {name: os.environ[name] for name in TRUST if name in os.environ}
            environment = trust | workspaces.environment(workspace, order.environment)
            build = Build(workspace, order, workspaces.uid(row.app), environment)

            def ended(reason: str | None) -> None:
                self._builds.pop(deployment, None)
                self._state.set_build(deployment, "failed" if reason else "done", reason)

            self._builds[deployment] = build
            build.start(ended)

    async def built(self, deployment: str, after: int, wait_seconds: float) -> BuildState:
        """How the build is; an answer that is not the end may take `wait_seconds`."""
        if build := self._builds.get(deployment):
            await build.wait(wait_seconds)
        row = self._deployments.row_of(deployment)
        log, following = await asyncio.to_thread(read_log, self._deployments.workspace_of(row).build_log, after)
        # The state was read before the log: what says done has all of its lines.
        return BuildState.model_validate(
            {"state": row.build, "reason": row.build_reason, "log": log, "next": following}
        )

    async def cancel(self, deployment: str) -> None:
        """Cancel the deployment's build, if one is under way."""
        if build := self._builds.pop(deployment, None):
            await build.cancel()
            self._state.set_build(deployment, "failed", "it was cancelled")

    async def close(self) -> None:
        """End all builds. They are begun afresh when the platform is asked again."""
        await asyncio.gather(*(build.cancel() for build in self._builds.values()))
