"""Custom domains: the name is added without a certificate, Azure issues one, then the two are bound."""

from __future__ import annotations

from shared.deploys.models import DeploymentSpec
from shared.deploys.platforms.azure import bodies
from shared.deploys.platforms.azure.apps import Apps
from shared.deploys.platforms.azure.names import APPS_API, Place, app_name
from shared.deploys.platforms.azure.waiting import Clock, Waiting, pause
from shared.deploys.platforms.base import DomainProgress, StepContext, domain_in_use
from shared.platform.calls.arm import Json, ResourceManager
from shared.platform.errors import TerminalError


class Domains:
    """The custom domains of apps and the certificates that Azure manages for them."""

    def __init__(self, azure: ResourceManager, where: Place, container_apps: Apps, waiting: Waiting) -> None:
        self._azure = azure
        self._where = where
        self._apps = container_apps
        self._waiting = waiting

    async def configure(self, spec: DeploymentSpec, step: StepContext, cursor: str | None) -> DomainProgress:
        """Bring spec.custom_domain from where it stands to where it is bound. See the port."""
        host = spec.custom_domain
        assert host is not None
        clock, issued = Clock(step), cursor is not None
        while True:
            await step.check()
            app = await step.unless_cancelled(self._apps.find(spec))
            if app is None:
                raise TerminalError("The app is not there any more.", code="app-not-found", remedy="Deploy again.")
            if bound(app, host) == "SniEnabled":
                await step.log(f"https://{host} leads to the app")
                return DomainProgress(done=True, url=f"https://{host}")
            if not bodies.busy(app):
                issued = await self._advance(spec, app, step, clock, issued=issued)
            if clock.over(self._waiting.poll_seconds):
                return DomainProgress(done=False, cursor="issued" if issued else None)
            await pause(step, self._waiting.poll_seconds)

    async def require_free(self, spec: DeploymentSpec, host: str) -> None:
        """See that no other app of the environment has the domain: its own app may not be there yet to look in.

        Raises:
            TerminalError: one has it (`domain-in-use`).
        """
        for app in await self._azure.list(self._where.apps, APPS_API):
            if app["name"] != app_name(spec) and bound(app, host) != "Missing":
                raise domain_in_use(host)

    async def release(self, spec: DeploymentSpec, host: str) -> None:
        """Unbind the domain. Its certificate stays, for whoever binds the domain next."""
        app = await self._apps.find(spec)
        if app is not None and bound(app, host) != "Missing":
            await self._apps.unbind(spec, app, host)

    async def check(self, spec: DeploymentSpec, app: Json, host: str) -> Json:
        """See that DNS says the domain is the app's owner's, and leads to the app; what Azure found.

        Raises:
            TerminalError: it does not (`domain-not-verified`), or another app has it (`domain-in-use`).
        """
        analysis = await self._apps.analyse(spec, host)
        if analysis.get("hasConflictOnManagedEnvironment") or analysis.get("conflictWithEnvironmentCustomDomain"):
            raise domain_in_use(host)
        leads = bool(analysis.get("cNameRecords") or analysis.get("aRecords"))
        if analysis.get("customDomainVerificationTest") == "Failed" or not leads:
            raise TerminalError(
                f"The DNS records of {host} are not there yet.",
                code="domain-not-verified",
                remedy=f"Set {records(host, app)}, then deploy again.",
            )
        return analysis

    async def _advance(self, spec: DeploymentSpec, app: Json, step: StepContext, clock: Clock, *, issued: bool) -> bool:
        """Do what comes next; whether this deployment has requested the certificate."""
        host = str(spec.custom_domain)
        if bound(app, host) == "Missing":
            await step.unless_cancelled(self.check(spec, app, host))
            unbound = {"name": host, "bindingType": "Disabled"}
            await self._waiting.finish(step, clock, await step.unless_cancelled(self._apps.bind(spec, app, unbound)))
            return issued
        path = self._where.certificate(bodies.environment(app), host)
        certificate = await step.unless_cancelled(self._azure.find(path, APPS_API))
        properties: Json = (certificate or {}).get("properties") or {}
        state = properties.get("provisioningState")
        if certificate is None:
            analysis = await step.unless_cancelled(self.check(spec, app, host))
            await step.unless_cancelled(self._issue(path, host, analysis))
            await step.log(f"Requested a certificate for {host}")
            return True
        if state == "Succeeded":
            whole = {"name": host, "bindingType": "SniEnabled", "certificateId": path}
            await self._waiting.finish(step, clock, await step.unless_cancelled(self._apps.bind(spec, app, whole)))
        elif state in ("Failed", "Canceled"):
            if issued:
                raise TerminalError(
                    f"No certificate could be issued for {host}: {properties.get('error') or state}",
                    code="certificate-failed",
                    remedy=f"Check {records(host, app)}, and that no CAA record forbids it.",
                )
            # An earlier deployment's: requested again, it would stay as it is.
            await step.unless_cancelled(self._azure.delete(path, APPS_API))
        return issued

    async def _issue(self, path: str, host: str, analysis: Json) -> None:
        """Ask for a certificate; a host without a CNAME, as an apex has none, proves itself over HTTP."""
        proof = "CNAME" if analysis.get("cNameRecords") else "HTTP"
        properties = {"subjectName": host, "domainControlValidation": proof}
        body = {"location": self._where.location, "properties": properties}
        await self._azure.put(path, APPS_API, body)


def bound(app: Json, host: str) -> str:
    """How the domain is bound: Missing, Disabled or SniEnabled."""
    for one in bodies.domains(app):
        if one["name"].lower() == host:
            return str(one.get("bindingType") or "Disabled") if one.get("certificateId") else "Disabled"
    return "Missing"


def records(host: str, app: Json) -> str:
    """The DNS records that a domain needs, as text."""
    fqdn = app["properties"]["configuration"]["ingress"]["fqdn"]
    return _records(host, str(app["properties"].get("customDomainVerificationId")), fqdn)


def records_to_come(host: str, environment: Json, name: str) -> str:
    """As `records`, for an app that is not there yet."""
    properties: Json = environment["properties"]
    configuration: Json = properties.get("customDomainConfiguration") or {}
    verification = configuration.get("customDomainVerificationId")
    address = properties.get("staticIp")
    return _records(host, str(verification), f"{name}.{properties['defaultDomain']}", address)


def _records(host: str, verification: str, fqdn: str, address: str | None = None) -> str:
    apex = f" (for a domain without a subdomain, an A record with {address} in its place)" if address else ""
    return f"TXT asuid.{host} = {verification} and CNAME {host} = {fqdn}{apex}"
