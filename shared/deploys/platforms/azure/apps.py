"""Container apps: what is there is read and merged before it is written, since what is left out is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.deploys.models import AppRef, DeploymentSpec
from shared.deploys.platforms.azure.bodies import created, domains, pinned, secrets_of, template, traffic, writable
from shared.deploys.platforms.azure.names import APPS_API, Place, app_name, revision_name, suffix
from shared.platform.calls.arm import Answer, Json, ResourceManager
from shared.platform.errors import ManifoldError, TerminalError
from shared.platform.redaction import Redactor

if TYPE_CHECKING:
    from httpx import AsyncClient

TAIL_CHARACTERS = 700
LOG_LINES = 300
"""As many as the log stream gives at once."""


@dataclass(frozen=True, slots=True)
class AppRevision:
    """One version of an app as Container Apps describes it."""

    name: str
    active: bool
    fqdn: str
    created: str
    provisioning: str
    running: str
    health: str
    error: str | None
    template: Json

    @property
    def ready(self) -> bool:
        """It runs, or sleeps for want of requests, and no probe has complained."""
        sound = self.provisioning == "Provisioned" and self.health != "Unhealthy"
        return self.active and sound and self.running not in ("Processing", "Failed", "Degraded", "Stopped")

    @property
    def failed(self) -> bool:
        """It will not become ready by waiting."""
        return self.provisioning == "Failed" or self.running == "Failed"


class Apps:
    """The container apps of one resource group."""

    def __init__(self, azure: ResourceManager, where: Place) -> None:
        self._azure = azure
        self._where = where

    async def find(self, app: AppRef) -> Json | None:
        """The app, if it was ever released."""
        return await self._azure.find(self._path(app), APPS_API)

    async def revision(self, spec: DeploymentSpec) -> AppRevision | None:
        """The deployment's revision, if it was released."""
        resource = await self._azure.find(f"{self._path(spec)}/revisions/{revision_name(spec)}", APPS_API)
        return None if resource is None else _revision(resource)

    async def revisions(self, spec: DeploymentSpec) -> list[AppRevision]:
        """The app's revisions, the newest first."""
        resources = await self._azure.list(f"{self._path(spec)}/revisions", APPS_API)
        return sorted(map(_revision, resources), key=lambda one: one.created, reverse=True)

    async def release(self, spec: DeploymentSpec, app: Json | None, image: str, values: Mapping[str, str]) -> Answer:
        """Add the deployment's revision; who served before keeps all traffic.

        The first revision of an app has nobody before it: Container Apps wants the weights to add up to 100.
        """
        names = {name: f"{suffix(spec)}-{index}" for index, name in enumerate(sorted(values)) if values[name]}
        added = [{"name": secret, "value": values[name]} for name, secret in names.items()]
        body = created(self._where, spec, image) if app is None else writable(app)
        kept: list[Json] = []
        if app is not None:
            used = {name for one in await self.revisions(spec) if one.active for name in secrets_of(one.template)}
            kept = [secret for secret in await self._secrets(spec) if secret["name"] in used]
        configuration: Json = body["properties"]["configuration"]
        configuration["secrets"] = [one for one in kept if one["name"] not in names.values()] + added
        configuration["ingress"]["traffic"] = (pinned(app) if app else []) or [
            {"revisionName": revision_name(spec), "weight": 100}
        ]
        configuration["ingress"]["targetPort"] = spec.port
        body["properties"]["template"] = template(spec, image, names, values)
        return await _redacted(self._azure.put(self._path(spec), APPS_API, body), Redactor(values.values()))

    async def route(self, spec: DeploymentSpec, app: Json, weights: Mapping[str, int]) -> Answer | None:
        """Share the traffic out by revision; None if it is so already."""
        shares = [{"revisionName": name, "weight": weight} for name, weight in weights.items()]
        if traffic(app) == dict(weights):
            return None
        return await self._change(spec, app, ingress={"traffic": shares})

    async def bind(self, spec: DeploymentSpec, app: Json, domain: Json) -> Answer:
        """Add the custom domain, or replace the one of that name; the others stay."""
        others = [one for one in domains(app) if one["name"].lower() != domain["name"]]
        return await self._change(spec, app, ingress={"customDomains": [*others, domain]})

    async def unbind(self, spec: DeploymentSpec, app: Json, host: str) -> Answer:
        """Remove the custom domain; the others stay."""
        others = [one for one in domains(app) if one["name"].lower() != host]
        return await self._change(spec, app, ingress={"customDomains": others})

    async def prune(self, spec: DeploymentSpec, app: Json) -> Answer | None:
        """Drop the secrets that no active revision uses; None if there are none."""
        templates = [one.template for one in await self.revisions(spec) if one.active]
        used = {name for one in (*templates, app["properties"]["template"]) for name in secrets_of(one)}
        secrets = await self._secrets(spec)
        kept = [secret for secret in secrets if secret["name"] in used]
        return None if len(kept) == len(secrets) else await self._change(spec, app, secrets=kept)

    async def deactivate(self, spec: DeploymentSpec, name: str) -> None:
        """Stop a revision's replicas."""
        await self._azure.post(f"{self._path(spec)}/revisions/{name}/deactivate", APPS_API)

    async def delete(self, app: AppRef) -> Answer:
        """Delete the app with all that belongs to it."""
        return await self._azure.delete(self._path(app), APPS_API)

    async def analyse(self, spec: DeploymentSpec, host: str) -> Json:
        """What Azure finds in DNS about a custom domain for the app."""
        path = f"{self._path(spec)}/listCustomHostNameAnalysis"
        return (await self._azure.post(path, APPS_API, query={"customHostname": host})).body

    async def restarts(self, spec: DeploymentSpec) -> int:
        """How often the containers of the deployment's replicas have been restarted."""
        path = f"{self._path(spec)}/revisions/{revision_name(spec)}/replicas"
        replicas: list[Json] = (await self._azure.find(path, APPS_API) or {}).get("value", [])
        return sum(int(one.get("restartCount") or 0) for replica in replicas for one in _containers(replica))

    async def log_tail(self, spec: DeploymentSpec, web: AsyncClient, redact: Redactor) -> str:
        """The end of the log of a replica of the deployment's revision, for an error; empty if it cannot be read."""
        logs = await self.logs_of(spec, web, LOG_LINES)
        tail = next((tail for log in logs.values() if (tail := redact.end(log, TAIL_CHARACTERS))), "")
        return f"The end of its log: {tail}" if tail else ""

    async def logs_of(self, spec: DeploymentSpec, web: AsyncClient, lines: int) -> dict[str, str]:
        """The last lines of the log of each replica of the deployment's revision that can be read, by its name."""
        try:
            replicas = await self._azure.find(f"{self._path(spec)}/revisions/{revision_name(spec)}/replicas", APPS_API)
            addresses = {
                str(replica.get("name") or ""): str(one["logStreamEndpoint"])
                for replica in (replicas or {}).get("value", [])
                for one in _containers(replica)
                if one.get("logStreamEndpoint")
            }
            if not addresses:
                return {}
            token = (await self._azure.post(f"{self._path(spec)}/getAuthtoken", APPS_API)).body["properties"]["token"]
        except ManifoldError:
            return {}  # it would explain a failure, and must not add one
        texts = await asyncio.gather(*(_log(web, address, str(token), lines) for address in addresses.values()))
        return {name: text for name, text in zip(addresses, texts, strict=True) if text}

    async def _change(
        self, spec: DeploymentSpec, app: Json, *, ingress: Json | None = None, secrets: list[Json] | None = None
    ) -> Answer:
        """Change the configuration only: a template that is written again could be taken for a new revision."""
        configuration: Json = writable(app)["properties"]["configuration"]
        # Reading an app does not tell the values of its secrets, and writing it without them would drop them.
        configuration["secrets"] = await self._secrets(spec) if secrets is None else secrets
        configuration["ingress"] |= ingress or {}
        redact = Redactor(one.get("value", "") for one in configuration["secrets"])
        return await _redacted(
            self._azure.patch(self._path(spec), APPS_API, {"properties": {"configuration": configuration}}), redact
        )

    async def _secrets(self, spec: DeploymentSpec) -> list[Json]:
        secrets = (await self._azure.post(f"{self._path(spec)}/listSecrets", APPS_API)).body.get("value", [])
        kept = ("name", "value", "keyVaultUrl", "identity")
        return [{key: one[key] for key in kept if one.get(key) is not None} for one in secrets]

    def _path(self, app: AppRef) -> str:
        return self._where.app(app_name(app))


async def _log(web: AsyncClient, address: str, token: str, lines: int) -> str:
    from httpx import HTTPError  # noqa: PLC0415 - loads in the activity that needs it

    try:
        answer = await web.get(
            address,
            params={"follow": "false", "output": "text", "tailLines": str(lines)},
            headers={"Authorization": f"Bearer {token}"},
        )
    except HTTPError:
        return ""
    if not answer.is_success or not answer.text:
        return ""
    return answer.text if answer.text.endswith("\n") else f"{answer.text}\n"  # containers' logs are of whole lines


async def _redacted(write: Coroutine[Any, Any, Answer], redact: Redactor) -> Answer:
    """What the write is answered; a refusal, which may quote the body, does not show secrets."""
    try:
        return await write
    except TerminalError as error:
        raise TerminalError(redact(error.message), code=error.code, remedy=error.remedy) from None


def _containers(replica: Json) -> list[Json]:
    properties: Json = replica.get("properties") or {}
    return properties.get("containers") or []


def _revision(resource: Any) -> AppRevision:
    properties: Json = resource.get("properties") or {}
    return AppRevision(
        name=resource["name"],
        active=bool(properties.get("active")),
        fqdn=str(properties.get("fqdn") or ""),
        created=str(properties.get("createdTime") or ""),
        provisioning=str(properties.get("provisioningState") or ""),
        running=str(properties.get("runningState") or ""),
        health=str(properties.get("healthState") or ""),
        error=properties.get("provisioningError"),
        template=properties.get("template") or {},
    )
