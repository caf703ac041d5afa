"""What is written to Container Apps, and what is read from its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.deploys.models import DeploymentSpec
from shared.deploys.models.sizes import Scale
from shared.deploys.platforms.azure.names import Place, suffix
from shared.platform.calls.arm import Json

CONTAINER: Final = "app"
GRACE_SECONDS: Final = 240
"""What a replica of a replaced revision is given to answer its last requests: as long as the ingress lets one take."""
FAILURES: Final = 10
"""Of a startup probe, before Container Apps starts the replica anew."""
TAG: Final = "manifold-first-deployment"
"""The deployment that made the app: undoing that one deletes it."""


def created(where: Place, spec: DeploymentSpec, image: str) -> Json:
    """An app without a revision, before its first write."""
    return {
        "location": where.location,
        "tags": {
            TAG: spec.deployment_id,
            "manifold-project": spec.project_id,
            "manifold-environment": spec.environment,
        },
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {where.identity: {}}},
        "properties": {
            "environmentId": where.environment_of(spec.organization_id),
            "workloadProfileName": "Consumption",
            "configuration": {
                "activeRevisionsMode": "Multiple",
                "maxInactiveRevisions": 10,
                "ingress": {"external": True, "transport": "auto", "allowInsecure": False},
                "registries": [{"server": image.split("/", 1)[0], "identity": where.identity}],
                # For fetching the image only: with it an app could read every other app's image.
                "identitySettings": [{"identity": where.identity, "lifecycle": "None"}],
            },
        },
    }


def writable(app: Json) -> Json:
    """A copy of what was read, without what only Azure writes."""
    properties, configuration = app["properties"], app["properties"]["configuration"]
    identity: Json = app.get("identity") or {"type": "None"}
    body: Json = {
        "location": app["location"],
        "tags": dict(app.get("tags") or {}),
        "identity": {"type": identity["type"]},
        "properties": {
            key: properties[key]
            for key in ("environmentId", "managedEnvironmentId", "workloadProfileName", "template")
            if properties.get(key) is not None
        },
    }
    if identities := identity.get("userAssignedIdentities"):
        body["identity"]["userAssignedIdentities"] = {name: {} for name in identities}
    if "environmentId" in body["properties"]:
        body["properties"].pop("managedEnvironmentId", None)  # its old name, for the same
    ingress = dict(_ingress(app))
    ingress.pop("fqdn", None)
    body["properties"]["configuration"] = {**configuration, "ingress": ingress}
    return body


def environment(app: Json) -> str:
    """The environment that the app runs in, for as long as it lives."""
    properties = app["properties"]
    return str(properties.get("environmentId") or properties["managedEnvironmentId"])


def traffic(app: Json) -> dict[str, int]:
    """Percent of the traffic by revision, also where Azure speaks of the latest one."""
    shares: dict[str, int] = {}
    entries: list[Json] = _ingress(app).get("traffic") or []
    for entry in entries:
        name = entry.get("revisionName")
        if entry.get("latestRevision"):
            name = app["properties"].get("latestReadyRevisionName") or app["properties"].get("latestRevisionName")
        if name:
            shares[name] = shares.get(name, 0) + int(entry.get("weight") or 0)
    return shares


def domains(app: Json) -> list[Json]:
    """The custom domains that are bound, or about to be."""
    return _ingress(app).get("customDomains") or []


def url(app: Json) -> str:
    """Where the app answers."""
    return f"https://{app['properties']['configuration']['ingress']['fqdn']}"


def _ingress(app: Json) -> Json:
    return app["properties"]["configuration"].get("ingress") or {}


def busy(app: Json) -> bool:
    """Whether Azure has not finished what was requested."""
    return app["properties"].get("provisioningState") in ("InProgress", "Deleting")


def pinned(app: Json) -> list[Json]:
    """The traffic as it is, by the names of revisions: a new revision takes no part in it."""
    return [{"revisionName": name, "weight": weight} for name, weight in traffic(app).items() if weight]


def template(spec: DeploymentSpec, image: str, names: Mapping[str, str], values: Mapping[str, str]) -> Json:
    """A revision. `names` are the secrets that hold the variables; Container Apps has no empty ones."""
    scale = spec.scale
    secret = [{"name": name, "secretRef": names[name]} for name in sorted(names)]
    empty = [{"name": name, "value": ""} for name in sorted(values) if name not in names]
    container: Json = {
        "name": CONTAINER,
        "image": image,
        "env": [{"name": "PORT", "value": str(spec.port)}, *secret, *empty],
        "resources": {"cpu": float(scale.size.cpu), "memory": scale.size.memory},
        "probes": [
            {"type": "Startup", **_probed(spec), "periodSeconds": _startup_period(spec), "failureThreshold": FAILURES},
            {"type": "Readiness", **_probed(spec), "periodSeconds": 5, "failureThreshold": 3},
        ],
    }
    if spec.start_command:
        container["command"] = [word.replace("$PORT", str(spec.port)) for word in spec.start_command]
    return {
        "revisionSuffix": suffix(spec),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [container],
        "scale": {"minReplicas": scale.min_replicas, "maxReplicas": scale.max_replicas, "rules": _rules(scale)},
    }


def _probed(spec: DeploymentSpec) -> Json:
    """What a probe asks for: the app's health path, or that somebody listens on its port."""
    if spec.health_path is None:
        return {"tcpSocket": {"port": spec.port}}
    return {"httpGet": {"port": spec.port, "path": spec.health_path, "scheme": "HTTP"}}


def _startup_period(spec: DeploymentSpec) -> int:
    """Seconds between probes of a start, so that FAILURES of them, the most that is allowed, are the app's time."""
    return -(-spec.health_seconds // FAILURES) if spec.health_seconds else 5


def _rules(scale: Scale) -> list[Json]:
    """When replicas are added. One by CPU keeps a replica running, so apps that may sleep have none."""
    rules: list[Json] = [{"name": "http-scaling", "http": {"metadata": {"concurrentRequests": str(scale.requests)}}}]
    if scale.min_replicas > 0:
        metadata = {"type": "Utilization", "value": str(scale.cpu_percent)}
        rules.append({"name": "cpu-scaling", "custom": {"type": "cpu", "metadata": metadata}})
    return rules


def secrets_of(template: Json) -> set[str]:
    """The names of the secrets that a revision uses."""
    names: set[str] = set()
    containers: list[Json] = template.get("containers") or []
    for container in containers:
        variables: list[Json] = container.get("env") or []
        names |= {one["secretRef"] for one in variables if one.get("secretRef")}
    return names
