"""Releasing an image: a revision is added beside the one that serves, and watched until it is well."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from shared.deploys.models import DeploymentSpec
from shared.deploys.platforms.azure import bodies
from shared.deploys.platforms.azure.apps import AppRevision, Apps
from shared.deploys.platforms.azure.names import revision_name
from shared.deploys.platforms.azure.waiting import Clock, Waiting, pause
from shared.deploys.platforms.base import ReleaseProgress, Revision, StepContext
from shared.deploys.secrets import redactor_for
from shared.platform.calls.arm import OPERATION_FAILED
from shared.platform.errors import TerminalError
from shared.platform.redaction import Redactor

if TYPE_CHECKING:
    from httpx import AsyncClient

HEALTH_SECONDS: Final = 300
"""How long a revision may take to answer, from when it was requested."""
WAKING: Final = 3
"""Requests that a healthy revision may fail to answer."""
REASON: Final = 1_000


class Releases:
    """Adds revisions to apps."""

    def __init__(self, container_apps: Apps, web: AsyncClient, waiting: Waiting) -> None:
        self._apps = container_apps
        self._web = web
        self._waiting = waiting

    async def release(
        self, spec: DeploymentSpec, image: str, values: Mapping[str, str], step: StepContext, cursor: str | None
    ) -> ReleaseProgress:
        """Add the deployment's revision if it is not there, and see whether it becomes healthy. See the port."""
        clock, since = Clock(step), float(cursor) if cursor else time.time()
        seconds = spec.health_seconds or HEALTH_SECONDS
        redact = redactor_for(values, spec.plain_variables)
        requested, why = False, "Container Apps did not start it"
        while True:
            await step.check()
            revision = await step.unless_cancelled(self._apps.revision(spec))
            if revision is not None:
                verdict = await self.verdict(spec, revision, step, redact)
                if verdict is None or revision.failed:
                    return _ended(spec, revision, verdict, redact)
                why = verdict
            elif not requested and await self._may_request(spec, step):
                requested = True
                await step.log(f"Starting revision {revision_name(spec)} of {image}")
                if refused := await self._request(spec, image, values, step, clock):
                    return _ended(spec, None, refused, redact)
            if time.time() - since > seconds:
                tail = await self._apps.log_tail(spec, self._web, redact)
                why = f"It is not healthy after {seconds:g} s: {why}. {tail}"
                return _ended(spec, revision, why, redact)
            if clock.over(self._waiting.poll_seconds):
                return ReleaseProgress(done=False, cursor=repr(since))
            await pause(step, self._waiting.poll_seconds)

    async def confirmed(
        self, spec: DeploymentSpec, revision: AppRevision, step: StepContext, redact: Redactor
    ) -> str | None:
        """Why the revision is not healthy any more; None if it is. One that slept is given time to wake up."""
        why = None
        for _ in range(WAKING):
            why = await self.verdict(spec, revision, step, redact)
            if why is None or revision.failed:
                break
            await pause(step, self._waiting.poll_seconds)
        return why

    async def _may_request(self, spec: DeploymentSpec, step: StepContext) -> bool:
        app = await step.unless_cancelled(self._apps.find(spec))
        return app is None or not bodies.busy(app)

    async def _request(
        self, spec: DeploymentSpec, image: str, values: Mapping[str, str], step: StepContext, clock: Clock
    ) -> str | None:
        """Request the revision; why Azure could not make it, if it said so before the time box ended."""
        try:
            app = await step.unless_cancelled(self._apps.find(spec))
            answer = await step.unless_cancelled(self._apps.release(spec, app, image, values))
            await self._waiting.settle(step, clock, answer)
        except TerminalError as error:
            if error.code == OPERATION_FAILED:
                return error.message
            raise
        return None

    async def verdict(
        self, spec: DeploymentSpec, revision: AppRevision, step: StepContext, redact: Redactor
    ) -> str | None:
        """Why the revision is not healthy (yet); None if it is."""
        if revision.failed:
            tail = await self._apps.log_tail(spec, self._web, redact)
            return f"{revision.error or f'It is {revision.running or revision.provisioning}.'} {tail}"
        if not revision.ready:
            return f"it is {revision.provisioning}, {revision.running}, {revision.health}"
        bound = HTTPStatus.BAD_REQUEST if spec.health_path else HTTPStatus.INTERNAL_SERVER_ERROR
        return await step.unless_cancelled(self._probe(f"https://{revision.fqdn}{spec.health_path or '/'}", bound))

    async def _probe(self, address: str, bound: int) -> str | None:
        """Why the address does not answer with a status below `bound`; None if it does."""
        from httpx import HTTPError  # noqa: PLC0415 - loads in the activity that needs it

        try:
            answer = await self._web.get(address)
        except HTTPError as error:
            return f"it does not answer ({type(error).__name__})"
        return f"it answers {answer.status_code}" if answer.status_code >= bound else None


def _ended(spec: DeploymentSpec, revision: AppRevision | None, why: str | None, redact: Redactor) -> ReleaseProgress:
    address = f"https://{revision.fqdn}" if revision and revision.fqdn else ""
    reason = redact(why).strip()[:REASON] if why else None
    return ReleaseProgress(
        done=True, revision=Revision(name=revision_name(spec), url=address, healthy=why is None, reason=reason)
    )
