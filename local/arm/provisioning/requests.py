"""Requests to a subscription: what is put is kept, and refused where Azure refuses it.

Bodies are kept as they are; the checker of the Bicep holds them to Azure's types. What is refused here are rules that
no type tells, each known from Azure's own answer or pages: see `refusals`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx

from local.arm.cloud import ArmError, Json
from local.arm.provisioning.models import offered, used
from local.arm.provisioning.refusals import refuse
from local.arm.provisioning.subscription import Subscription, type_at

_GROUP_PARTS = 4
"""Of the path /subscriptions/S/resourceGroups/G."""


def client(subscription: Subscription) -> httpx.Client:
    """A client whose requests the subscription answers, without a network in between."""

    def answer(request: httpx.Request) -> httpx.Response:
        try:
            return _answer(subscription, request)
        except ArmError as problem:
            body = {"error": {"code": problem.code, "message": problem.message}}
            return httpx.Response(problem.status, json=body)

    return httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(answer))


def _answer(subscription: Subscription, request: httpx.Request) -> httpx.Response:
    path = request.url.path.rstrip("/")
    if "api-version" not in request.url.params:
        raise ArmError(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
    match request.method:
        case "PUT":
            return _put(subscription, path, json.loads(request.content))
        case "DELETE":
            return _delete(subscription, path)
        case "POST" if path.endswith("/register"):
            subscription.registered.add(path.split("/")[-2].lower())
            return httpx.Response(200, json=_provider(subscription, path.split("/")[-2]))
        case "POST" if path.endswith("/purge"):
            return _purge(subscription, path.split("/")[-2])
        case "GET":
            return httpx.Response(200, json=_read(subscription, path))
        case _:
            raise ArmError(404, "InvalidResource", f"No route {path}")


def _put(subscription: Subscription, path: str, body: Json) -> httpx.Response:
    known = subscription.find(path)
    kept: Json = {**body, "id": path, "name": path.rsplit("/", 1)[-1], "type": type_at(path)}
    refuse(subscription, kept, known)
    kept["properties"] = {**kept.get("properties", {}), **_given(kept)}
    if kept.get("identity", {}).get("type") == "SystemAssigned":
        kept["identity"] = {**kept["identity"], "principalId": f"p-{kept['name']}"}
    subscription.resources[path.lower()] = kept
    subscription.registered.add(kept["type"].split("/")[0].lower())  # as a deployment does
    if kept["type"] == "Microsoft.KeyVault/vaults":
        subscription.deleted_vaults.pop(kept["name"], None)
    return httpx.Response(200 if known else 201, json=kept)


def _delete(subscription: Subscription, path: str) -> httpx.Response:
    ids = subscription.below(path)
    for id_ in ids:
        deleted = subscription.resources.pop(id_)
        if deleted["type"] == "Microsoft.KeyVault/vaults":
            subscription.deleted_vaults[deleted["name"]] = deleted
    return httpx.Response(200 if ids else 204)


def _purge(subscription: Subscription, name: str) -> httpx.Response:
    vault = subscription.deleted_vaults.get(name)
    if vault is None:
        raise ArmError(404, "DeletedVaultNotFound", f"There is no deleted vault {name}.")
    if vault["properties"].get("enablePurgeProtection"):
        raise ArmError(409, "DeletedVaultPurge", "Purge protection is enabled: the vault cannot be purged.")
    del subscription.deleted_vaults[name]
    return httpx.Response(202)


def _read(subscription: Subscription, path: str) -> Json:
    if (found := subscription.find(path)) is not None:
        return found
    last = path.rsplit("/", 1)[-1]
    namespace = path.partition("/providers/")[2].split("/")[0]
    if last == namespace:
        return _provider(subscription, namespace)
    if namespace and namespace.lower() not in subscription.registered:
        message = f"The subscription is not registered to use namespace '{namespace}'."
        raise ArmError(409, "MissingSubscriptionRegistration", message)
    lists: dict[str, Callable[[], list[Json]]] = {
        "deletedVaults": lambda: [_deleted(one) for one in subscription.deleted_vaults.values()],
        "capabilities": lambda: [_capability(path.split("/")[-2] in subscription.restricted)],
        "deletedAccounts": lambda: [{"id": one} for one in subscription.deleted_accounts],
        "models": lambda: offered(subscription),
        "usages": lambda: used(subscription),
    }
    if last in lists:
        return {"value": lists[last]()}
    listed = {
        "accounts": "Microsoft.CognitiveServices/accounts",
        "deployments": "Microsoft.CognitiveServices/accounts/deployments",
        "flexibleServers": "Microsoft.DBforPostgreSQL/flexibleServers",
        "sites": "Microsoft.Web/sites",
        "vaults": "Microsoft.KeyVault/vaults",
    }
    if last in listed:
        group = "/".join(path.split("/")[: _GROUP_PARTS + 1])
        if subscription.find(group) is None:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group.rsplit('/', 1)[-1]}' was not found.")
        return {"value": subscription.of_type(listed[last], group)}
    raise ArmError(404, "ResourceNotFound", f"The resource {path} was not found.")


def _provider(subscription: Subscription, namespace: str) -> Json:
    state = "Registered" if namespace.lower() in subscription.registered else "NotRegistered"
    return {"namespace": namespace, "registrationState": state}


def _deleted(vault: Json) -> Json:
    properties = {"vaultId": vault["id"], "location": vault["location"], "tags": vault.get("tags", {})}
    return {"id": vault["id"], "name": vault["name"], "properties": properties}


def _capability(restricted: bool) -> Json:
    """What a region offers a subscription of PostgreSQL, as far as a provisioning asks."""
    if restricted:
        reason = "Subscriptions are restricted from provisioning in this region. Please choose a different region."
        return {"name": "FlexibleServerCapabilities", "restricted": "Enabled", "reason": reason}
    sizes = {"Burstable": ["Standard_B1ms", "Standard_B2s"], "GeneralPurpose": ["Standard_D2ds_v5"]}
    editions = [
        {"name": tier, "supportedServerSkus": [{"name": size} for size in names]} for tier, names in sizes.items()
    ]
    versions = [{"name": version} for version in ("16", "17", "18")]
    return {
        "name": "FlexibleServerCapabilities",
        "restricted": "Disabled",
        "supportedServerEditions": editions,
        "supportedServerVersions": versions,
    }


def _given(resource: Json) -> Json:
    """What reading a resource tells besides what was written."""
    name, kind = resource["name"], resource["type"]
    properties: dict[str, Json] = {
        "Microsoft.ManagedIdentity/userAssignedIdentities": {"clientId": f"c-{name}", "principalId": f"p-{name}"},
        "Microsoft.Storage/storageAccounts": {"primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"}},
        "Microsoft.KeyVault/vaults": {"vaultUri": f"https://{name}.vault.azure.net/"},
        "Microsoft.DBforPostgreSQL/flexibleServers": {
            "fullyQualifiedDomainName": f"{name}.postgres.database.azure.com"
        },
        "Microsoft.DocumentDB/databaseAccounts": {"documentEndpoint": f"https://{name}.documents.azure.com:443/"},
        "Microsoft.ContainerRegistry/registries": {"loginServer": f"{name}.azurecr.io"},
        "Microsoft.Insights/components": {"ConnectionString": f"InstrumentationKey={name}"},
        "Microsoft.App/managedEnvironments": {
            "defaultDomain": f"{name}.westeurope.azurecontainerapps.io",
            "staticIp": "10.20.2.4",
        },
        "Microsoft.App/containerApps": {"configuration": {"ingress": {"fqdn": f"{name}.azurecontainerapps.io"}}},
        "Microsoft.KeyVault/vaults/secrets": {"secretUri": f"https://vault.azure.net/secrets/{name}"},
        "Microsoft.Web/sites": {"defaultHostName": f"{name}.azurewebsites.net"},
        "Microsoft.CognitiveServices/accounts": {"endpoint": f"https://{name}.openai.azure.com/"},
        "Microsoft.Communication/communicationServices": {"hostName": f"{name}.europe.communication.azure.com"},
        "Microsoft.Communication/emailServices/domains": {
            "mailFromSenderDomain": f"{name.lower()}.azurecomm.net",
            "verificationRecords": {
                "Domain": {"type": "TXT", "name": name, "value": f"ms-domain-verification={name}", "ttl": 3600},
                "SPF": {"type": "TXT", "name": name, "value": "v=spf1 include:spf.protection.outlook.com -all"},
                "DKIM": {"type": "CNAME", "name": "selector1-azurecomm-prod-net._domainkey"},
                "DKIM2": {"type": "CNAME", "name": "selector2-azurecomm-prod-net._domainkey"},
            },
        },
        "Microsoft.DurableTask/schedulers": {"endpoint": f"https://{name}.durabletask.io"},
    }
    return properties.get(kind, {})
