"""What reading an app, a revision or a certificate tells."""

from __future__ import annotations

import time

from local.arm.cloud import (
    ADDRESS,
    DOMAIN,
    PROVIDERS,
    VERIFICATION,
    App,
    Certificate,
    Json,
    Revision,
    listed,
)


def app_view(found: App) -> Json:
    """An app as reading it tells: no secret has a value."""
    body, state = found.body, found.operation.state
    configuration: Json = dict(body["properties"]["configuration"])
    configuration["secrets"] = [{"name": one["name"]} for one in listed(configuration, "secrets")] or None
    configuration["ingress"] = {**configuration["ingress"], "fqdn": f"{found.name}.{DOMAIN}"}
    newest = list(found.revisions)[-1:] or [None]
    identities = {name: {"principalId": "p", "clientId": "c"} for name in body["identity"]["userAssignedIdentities"]}
    return {
        "id": f"{PROVIDERS}/Microsoft.App/containerApps/{found.name}",
        "name": found.name,
        "type": "Microsoft.App/containerApps",
        "location": "West Europe",
        "tags": body["tags"],
        "systemData": {"createdByType": "Application"},
        "identity": {**body["identity"], "principalId": None, "userAssignedIdentities": identities},
        "properties": {
            **body["properties"],
            "managedEnvironmentId": body["properties"]["environmentId"],
            "provisioningState": state,
            "runningStatus": "Running",
            "latestRevisionName": newest[0],
            "latestReadyRevisionName": newest[0],
            "customDomainVerificationId": VERIFICATION,
            "outboundIpAddresses": [ADDRESS],
            "configuration": configuration,
        },
    }


def revision_view(found: App, one: Revision) -> Json:
    """A revision as reading it tells."""
    provisioning, running, health = one.states
    return {
        "id": f"{PROVIDERS}/Microsoft.App/containerApps/{found.name}/revisions/{one.name}",
        "name": one.name,
        "type": "Microsoft.App/containerapps/revisions",
        "properties": {
            "createdTime": one.created,
            "fqdn": f"{one.name}.{DOMAIN}",
            "template": one.template,
            "active": one.active,
            "replicas": int(one.active),
            "trafficWeight": weight_of(found, one.name),
            "provisioningState": provisioning,
            "runningState": running,
            "healthState": health,
        },
    }


def certificate_view(found: Certificate) -> Json:
    """A managed certificate as reading it tells."""
    ended = time.monotonic() >= found.ready
    state = ("Failed" if found.error else "Succeeded") if ended else "Pending"
    error = {"error": found.error} if ended and found.error else {}
    return {**found.body, "properties": {**found.body["properties"], "provisioningState": state, **error}}


def configuration_of(found: App) -> Json:
    """An app's configuration as it was written."""
    return found.body["properties"]["configuration"]


def weight_of(found: App, name: str) -> int:
    """Percent of an app's traffic that a revision has."""
    return sum(one["weight"] for one in configuration_of(found)["ingress"]["traffic"] if one["revisionName"] == name)


def hosts_of(found: App) -> set[str]:
    """The custom domains of an app, bound or not."""
    return {one["name"] for one in listed(configuration_of(found)["ingress"], "customDomains")}
