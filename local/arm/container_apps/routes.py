"""Container Apps: apps, their revisions and secrets, custom domains and managed certificates."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from local.arm.cloud import (
    ADDRESS,
    DOMAIN,
    IDENTITY,
    LOCATION,
    PROVIDERS,
    SERVER,
    VERIFICATION,
    App,
    ArmError,
    Certificate,
    Cloud,
    Json,
    Revision,
    listed,
)
from local.arm.container_apps.views import (
    app_view,
    certificate_view,
    configuration_of,
    hosts_of,
    revision_view,
    weight_of,
)
from local.arm.http import Call, Reply, checked
from local.arm.shapes import ContainerApp, ManagedCertificate

API = {"2025-01-01"}
_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_ALL = 100


def environment(cloud: Cloud, call: Call) -> Reply:
    id_ = _environment(cloud, call.values["environment"])
    properties = {
        "provisioningState": "Succeeded",
        "defaultDomain": DOMAIN,
        "staticIp": ADDRESS,
        "customDomainConfiguration": {"customDomainVerificationId": VERIFICATION},
    }
    return Reply({"id": id_, "name": call.values["environment"], "location": LOCATION, "properties": properties})


def app(cloud: Cloud, call: Call) -> Reply:
    """GET, PUT, PATCH and DELETE of an app."""
    name = call.values["app"]
    if call.method == "PUT":
        return _write(cloud, name, call.body)
    found = _app(cloud, name)
    if call.method == "PATCH":
        # Of the configuration, what is left out is dropped here as well.
        properties = {**found.body["properties"], **call.body.get("properties", {})}
        written = _write(cloud, name, {**found.body, **call.body, "properties": properties})
        return Reply(None, 202, location=written.operation)
    if call.method == "DELETE":
        _not_busy(found)
        del cloud.apps[name]
        operation, _ = cloud.begin()
        return Reply(None, 202, location=operation)
    return Reply(app_view(found))


def apps(cloud: Cloud, call: Call) -> Reply:  # noqa: ARG001 - the same signature for every route
    return Reply({"value": [app_view(one) for one in cloud.apps.values()]})


def secrets(cloud: Cloud, call: Call) -> Reply:
    return Reply({"value": configuration_of(_app(cloud, call.values["app"])).get("secrets") or []})


def revisions(cloud: Cloud, call: Call) -> Reply:
    found = _app(cloud, call.values["app"])
    return Reply({"value": [revision_view(found, one) for one in found.revisions.values()]})


def revision(cloud: Cloud, call: Call) -> Reply:
    found = _app(cloud, call.values["app"])
    return Reply(revision_view(found, _revision(found, call.values["revision"])))


def deactivate(cloud: Cloud, call: Call) -> Reply:
    found = _app(cloud, call.values["app"])
    one = _revision(found, call.values["revision"])
    if weight_of(found, one.name):
        raise ArmError(400, "RevisionHasTraffic", f"Revision {one.name} has traffic.")
    one.active = False
    return Reply({})


def replicas(cloud: Cloud, call: Call) -> Reply:
    """Those of a revision; each has a log of its own."""
    one = _revision(_app(cloud, call.values["app"]), call.values["revision"])

    def replica(name: str) -> Json:
        stream = f"{call.base}/_logstream/{one.name}/{name}"
        container = {"name": "app", "restartCount": one.restarts, "logStreamEndpoint": stream}
        return {"name": name, "properties": {"containers": [container]}}

    return Reply({"value": [replica(name) for name in one.logs]})


def auth_token(cloud: Cloud, call: Call) -> Reply:
    _app(cloud, call.values["app"])
    return Reply({"location": LOCATION, "properties": {"token": f"log-{cloud.signature}"}})


def analysis(cloud: Cloud, call: Call) -> Reply:
    """What DNS says about a custom host name."""
    name, host = call.values["app"], call.query.get("customHostname", "")
    _app(cloud, name)
    kind = cloud.dns.get(host)
    taken = [one.name for one in cloud.apps.values() if one.name != name and host in hosts_of(one)]
    return Reply(
        {
            "hostName": host,
            "isHostnameAlreadyVerified": False,
            "customDomainVerificationTest": "Passed" if kind else "Failed",
            "hasConflictOnManagedEnvironment": bool(taken),
            "conflictWithEnvironmentCustomDomain": False,
            "cNameRecords": [f"{name}.{DOMAIN}"] if kind == "CNAME" else [],
            "aRecords": [ADDRESS] if kind == "A" else [],
            "txtRecords": [VERIFICATION] if kind else [],
        }
    )


def certificate(cloud: Cloud, call: Call) -> Reply:
    """GET, PUT and DELETE of a managed certificate. It is for apps of its own environment."""
    id_ = _environment(cloud, call.values["environment"])
    name = call.values["certificate"]
    if call.method == "PUT":
        body = checked(ManagedCertificate, call.body)
        host = body["properties"]["subjectName"]
        apps = [one for one in cloud.apps.values() if one.body["properties"]["environmentId"] == id_]
        if not any(host in hosts_of(one) for one in apps):
            raise ArmError(400, "RequireCustomHostnameInEnvironment", f"Add {host} to an app first.")
        if name not in cloud.certificates:
            reason = cloud.failing_certificates.get(host)
            cloud.certificates[name] = Certificate(body, time.monotonic() + cloud.seconds, reason)
        operation, _ = cloud.begin()
        return Reply(certificate_view(cloud.certificates[name]), 201, operation=operation)
    found = cloud.certificates.get(name)
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"There is no certificate {name}.")
    if call.method == "DELETE":
        del cloud.certificates[name]
        return Reply({})
    return Reply(certificate_view(found))


def _write(cloud: Cloud, name: str, given: Any) -> Reply:
    if not _NAME.fullmatch(name) or len(name) > 32:  # noqa: PLR2004 - Container Apps' limit
        raise ArmError(400, "ContainerAppInvalidName", f"Invalid container app name {name}.")
    body = checked(ContainerApp, given)
    known = cloud.apps.get(name)
    if known is not None:
        _not_busy(known)
    template: Json = body["properties"]["template"]
    revision_name = f"{name}--{template['revisionSuffix']}"
    revisions_known = known.revisions if known else {}
    existing = revisions_known.get(revision_name)
    if existing is not None and existing.template != template:
        raise ArmError(400, "RevisionSuffixInUse", f"Revision {revision_name} is there with another template.")
    _check(cloud, body, {*revisions_known, revision_name}, template)
    image = template["containers"][0]["image"]
    outcome = cloud.outcome(image)
    pulled = outcome.pulled and image in cloud.images()
    operation, progress = cloud.begin(None if pulled else f"The image {image} could not be pulled: MANIFEST_UNKNOWN.")
    if known is None:
        cloud.apps[name] = known = App(name, body, progress)
        status = 201
    else:
        known.body, known.operation, status = body, progress, 200
    if existing is None and pulled:
        ready = time.monotonic() + 2 * cloud.seconds
        known.revisions[revision_name] = Revision(revision_name, template, outcome, ready)
    return Reply(app_view(known), status, operation=operation)


def _check(cloud: Cloud, body: Json, names: set[str], template: Json) -> None:
    """The rules that bind the parts of an app together."""
    if body["properties"]["environmentId"] not in cloud.environments:
        raise ArmError(404, "ManagedEnvironmentNotFound", "There is no such environment.")
    configuration: Json = body["properties"]["configuration"]
    held = {one["name"] for one in listed(configuration, "secrets")}
    for container in template["containers"]:
        used = {one["secretRef"] for one in listed(container, "env") if one.get("secretRef")}
        if missing := used - held:
            raise ArmError(400, "ContainerAppSecretRefNotFound", f"SecretRef {min(missing)} is not defined.")
    ingress: Json = configuration["ingress"]
    total = sum(entry["weight"] for entry in ingress["traffic"])
    if configuration["activeRevisionsMode"] != "Multiple" or total != _ALL:
        raise ArmError(400, "ContainerAppInvalidTrafficWeight", f"Traffic weights add up to {total}.")
    if unknown := {str(entry.get("revisionName")) for entry in ingress["traffic"]} - names:
        raise ArmError(400, "RevisionNotFound", f"There is no revision {min(unknown)}.")
    if IDENTITY not in body["identity"]["userAssignedIdentities"]:
        raise ArmError(400, "InvalidIdentity", "There is no such identity.")
    if {"server": SERVER, "identity": IDENTITY} not in configuration["registries"]:
        raise ArmError(400, "InvalidParameterValueInContainerTemplate", "The image cannot be pulled: UNAUTHORIZED.")
    for domain in listed(ingress, "customDomains"):
        _check_domain(cloud, domain)


def _check_domain(cloud: Cloud, domain: Json) -> None:
    if domain["name"] not in cloud.dns:
        raise ArmError(400, "InvalidCustomHostNameValidation", f"A TXT record asuid.{domain['name']} was not found.")
    if domain["bindingType"] == "SniEnabled":
        held = cloud.certificates.get(str(domain.get("certificateId")).rsplit("/", 1)[-1])
        if held is None or certificate_view(held)["properties"]["provisioningState"] != "Succeeded":
            raise ArmError(400, "CertificateMissing", f"There is no certificate for {domain['name']}.")


def _app(cloud: Cloud, name: str) -> App:
    found = cloud.apps.get(name)
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The resource containerApps/{name} was not found.")
    return found


def _revision(found: App, name: str) -> Revision:
    one = found.revisions.get(name)
    if one is None:
        raise ArmError(404, "RevisionNotFound", f"There is no revision {name}.")
    return one


def _not_busy(found: App) -> None:
    if found.operation.state == "InProgress":
        raise ArmError(409, "ContainerAppOperationInProgress", "Cannot modify: another operation is in progress.")


def _environment(cloud: Cloud, name: str) -> str:
    id_ = f"{PROVIDERS}/Microsoft.App/managedEnvironments/{name}"
    if id_ not in cloud.environments:
        raise ArmError(404, "ResourceNotFound", f"The environment {name} was not found.")
    return id_


Handler = Callable[[Cloud, Call], Reply]
_PLACE = f"{PROVIDERS}/Microsoft.App/managedEnvironments/{{environment}}"
_ONE = f"{PROVIDERS}/Microsoft.App/containerApps/{{app}}"
ROUTES: list[tuple[str, str, set[str], Handler]] = [
    ("GET", _PLACE, API, environment),
    ("GET PUT DELETE", f"{_PLACE}/managedCertificates/{{certificate}}", API, certificate),
    ("GET", f"{PROVIDERS}/Microsoft.App/containerApps", API, apps),
    ("GET PUT PATCH DELETE", _ONE, API, app),
    ("POST", f"{_ONE}/listSecrets", API, secrets),
    ("POST", f"{_ONE}/getAuthtoken", API, auth_token),
    ("POST", f"{_ONE}/listCustomHostNameAnalysis", API, analysis),
    ("GET", f"{_ONE}/revisions", API, revisions),
    ("GET", f"{_ONE}/revisions/{{revision}}", API, revision),
    ("GET", f"{_ONE}/revisions/{{revision}}/replicas", API, replicas),
    ("POST", f"{_ONE}/revisions/{{revision}}/deactivate", API, deactivate),
]
