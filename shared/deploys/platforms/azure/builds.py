"""Following a build: its log is passed on, its end told."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.deploys.models import DeploymentSpec
from shared.deploys.platforms.azure.boxes import Clock, pause, watched
from shared.deploys.platforms.azure.registry import Registry, Run, image_name, repository_name
from shared.deploys.platforms.base import Box, BuildProgress
from shared.platform.errors import TerminalError

PUSHING: Final = "Pushing image"
"""What ACR Tasks says when an image is built."""


class _Cursor(BaseModel):
    """How much of the log was passed on."""

    model_config = ConfigDict(frozen=True)
    offset: int = 0
    pushing: bool = False


async def build(
    registry: Registry, spec: DeploymentSpec, source: str, box: Box, cursor: str | None, *, poll_seconds: float
) -> BuildProgress:
    """Start the deployment's build if it was not, and follow it to the end of the box.

    Raises:
        TerminalError: it failed (`build-failed`).
    """
    clock = Clock(box)
    at = _Cursor.model_validate_json(cursor) if cursor else _Cursor()
    await box.check()
    if await watched(box, registry.find(spec)) is None:
        await watched(box, registry.start(spec, repository_name(spec), source))
        await box.log("The build is queued")
    while True:
        await box.check()
        run = await watched(box, registry.find(spec)) or Run(None, "Queued")
        before = at
        at = await _pass_on(registry, run, box, at)
        if run.ended:
            if run.status != "Succeeded":
                raise TerminalError(
                    f"The build ended as {run.status}{f': {run.error}' if run.error else ''}.",
                    code="build-failed",
                    remedy="See the deployment's log for what the builder said.",
                )
            image = run.image or f"{await registry.server()}/{image_name(spec, repository_name(spec))}"
            await box.log(f"Built {image}")
            return BuildProgress(done=True, pushing=True, image=image)
        if clock.over(poll_seconds) or at.pushing != before.pushing:
            return BuildProgress(done=False, pushing=at.pushing, cursor=at.model_dump_json())
        await pause(box, poll_seconds)


async def _pass_on(registry: Registry, run: Run, box: Box, at: _Cursor) -> _Cursor:
    """Copy whole lines of the builder's log, and at its end what is left of it."""
    while run.id:
        data = await watched(box, registry.log(run.id, at.offset))
        whole = data if run.ended else data[: data.rfind(b"\n") + 1]
        if not whole:
            break
        text = whole.decode(errors="replace")
        await box.log(text)
        at = _Cursor(offset=at.offset + len(whole), pushing=at.pushing or PUSHING in text)
    return at
