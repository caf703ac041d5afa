"""Follows a build, passing its log on, to its end."""

from __future__ import annotations

import asyncio
from typing import Final

from pydantic import ConfigDict

from shared.deploys.models import DeploymentSpec
from shared.deploys.platforms.azure.registry import Registry, Run, image_name
from shared.deploys.platforms.azure.waiting import Clock, alone, pause
from shared.deploys.platforms.base import BuildProgress, StepContext
from shared.deploys.secrets import variables_of
from shared.platform.errors import TerminalError
from shared.platform.files import scratch_folder
from shared.platform.models import LazyModel
from shared.platform.stores import blob_files

CONTEXTS: Final = "deploy-contexts"
"""Private blobs, one a deployment: its source, packed, with a recipe."""
MOST_BYTES: Final = 350_000_000
"""Of a context: a source of the largest size that does not get smaller when it is packed."""
LINGER_SECONDS: Final = 15
"""How long the end of a log is waited for when its run has ended: it is written a little later."""
PUSHING: Final = "Pushing image"
"""What ACR Tasks says when an image is built."""


class _Cursor(LazyModel):
    """How much of the log was passed on."""

    model_config = ConfigDict(frozen=True)
    offset: int = 0
    pushing: bool = False


async def build(
    registry: Registry,
    spec: DeploymentSpec,
    source: str,
    step: StepContext,
    cursor: str | None,
    *,
    poll_seconds: float,
    storage: asyncio.Lock,
) -> BuildProgress:
    """Start the deployment's build if it was not, and follow it to the end of the time box.

    `storage` is held by whoever uses the instance's temporary storage.

    Raises:
        TerminalError: it failed (`build-failed`).
    """
    clock, linger = Clock(step), None
    at = _Cursor.model_validate_json(cursor) if cursor else _Cursor()
    await step.check()
    if await step.unless_cancelled(registry.find(spec)) is None:
        async with alone(storage, step):
            await step.unless_cancelled(_start(registry, spec, source))
        await step.log("The build is queued")
    while True:
        await step.check()
        run = await step.unless_cancelled(registry.find(spec)) or Run(None, "Queued")
        at, complete = await _pass_on(registry, run, step, at)
        if run.ended and linger is None:
            linger = asyncio.get_running_loop().time() + LINGER_SECONDS
        if linger is not None and (complete or asyncio.get_running_loop().time() >= linger):
            if run.status != "Succeeded":
                raise TerminalError(
                    f"The build ended as {run.status}{f': {run.error}' if run.error else ''}.",
                    code="build-failed",
                    remedy="See the deployment's log for the builder's output.",
                )
            image = run.image or f"{await registry.server()}/{image_name(spec)}"
            await step.log(f"Built {image}")
            return BuildProgress(done=True, image=image)
        if clock.over(poll_seconds):
            return BuildProgress(done=False, pushing=at.pushing, cursor=at.model_dump_json())
        await pause(step, poll_seconds)


async def _start(registry: Registry, spec: DeploymentSpec, source: str) -> None:
    async with scratch_folder("manifold-context-") as scratch:
        archive = scratch / "context.tar.gz"
        await blob_files.download_blob(CONTEXTS, source, archive, most=MOST_BYTES, check=_go_on)
        values = await variables_of(spec.secrets_reference) if spec.plain_variables else {}
        plain = {name: values[name] for name in spec.plain_variables if name in values}
        await registry.start(spec, await registry.upload(archive), plain)


async def _pass_on(registry: Registry, run: Run, step: StepContext, at: _Cursor) -> tuple[_Cursor, bool]:
    """Copy whole lines of the builder's log, and at its end what is left of it; whether that was all."""
    if run.id is None:
        return at, True
    while True:
        part = await step.unless_cancelled(registry.log(run.id, at.offset))
        whole = part.data if run.ended else part.data[: part.data.rfind(b"\n") + 1]
        if not whole:
            return at, part.complete
        text = whole.decode(errors="replace")
        await step.log(text)
        at = _Cursor(offset=at.offset + len(whole), pushing=at.pushing or PUSHING in text)


def _go_on() -> None:
    """The download has no check of its own: `unless_cancelled` ends it."""
