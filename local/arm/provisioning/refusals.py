"""What Azure refuses of a resource although its shape is right, in Azure's words where they are known."""

from __future__ import annotations

from datetime import date
from typing import Final

from local.arm.cloud import ArmError, Json
from local.arm.provisioning.subscription import Subscription

SITE_CONFIG_OF_FLEX: Final = frozenset(
    {"appSettings", "cors", "http20Enabled", "minTlsVersion", "remoteDebuggingEnabled", "scmMinTlsVersion"}
)
"""The keys of siteConfig that a site on Flex Consumption is known to take."""
SETTINGS_REFUSED_ON_FLEX: Final = frozenset(
    {"FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "ENABLE_ORYX_BUILD"}
    | {"SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING"}
)


def refuse(subscription: Subscription, wanted: Json, known: Json | None) -> None:
    """Refuse a resource that Azure would refuse; `known` is what is there under its id.

    Raises:
        ArmError: the refusal.
    """
    _place(subscription, wanted, known)
    match wanted["type"]:
        case "Microsoft.Web/sites":
            _site(subscription, wanted)
        case "Microsoft.Consumption/budgets":
            _budget(subscription, wanted, known)
        case "Microsoft.DBforPostgreSQL/flexibleServers":
            _server(subscription, wanted, known)
        case "Microsoft.KeyVault/vaults":
            _vault(subscription, wanted, known)
        case "Microsoft.Authorization/roleAssignments":
            _assignment(subscription, wanted)
        case _:
            pass


def _place(subscription: Subscription, wanted: Json, known: Json | None) -> None:
    """A resource lies in a group and in its parent, and stays in its region."""
    id_: str = wanted["id"]
    parts = id_.split("/")
    group = "/".join(parts[:5])
    if "/resourceGroups/" in id_ and wanted["type"] != "Microsoft.Resources/resourceGroups":
        if subscription.find(group) is None:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{parts[4]}' was not found.")
        own = id_.rsplit("/providers/", 1)[-1].split("/")
        parent = "/".join(parts[:-2])
        if len(own) > len(["provider", "type", "name"]) and subscription.find(parent) is None:
            raise ArmError(404, "ParentResourceNotFound", f"The parent {parent} was not found.")
    if known is not None and wanted.get("location") != known.get("location"):
        message = f"The resource '{wanted['name']}' already exists in location '{known.get('location')}'."
        raise ArmError(409, "InvalidResourceLocation", message)


def _site(subscription: Subscription, site: Json) -> None:
    plan = subscription.find(site["properties"]["serverFarmId"])
    if plan is None:
        raise ArmError(404, "ServerFarmNotFound", "The plan was not found.")
    if plan["sku"]["name"] != "FC1":
        return
    config: Json = site["properties"].get("siteConfig", {})
    settings = {one["name"] for one in config.get("appSettings", [])}
    refused = sorted(set(config) - SITE_CONFIG_OF_FLEX) or sorted(settings & SETTINGS_REFUSED_ON_FLEX)
    if refused:
        names = ", ".join(f"Site.SiteConfig.{one[0].upper()}{one[1:]}" for one in refused)
        message = f"The following site configuration properties ({names}) for Flex Consumption sites is invalid."
        raise ArmError(400, "51021", f"{message} Please remove or rename it before retrying.")


def _budget(subscription: Subscription, budget: Json, known: Json | None) -> None:
    start = date.fromisoformat(budget["properties"]["timePeriod"]["startDate"])
    if known is not None and known["properties"]["timePeriod"]["startDate"] != start.isoformat():
        message = "Start date of budgets cannot be updated. Please delete and create a new budget."
        raise ArmError(400, "400", message)
    month = subscription.today.replace(day=1)
    if start.day != 1 or (known is None and start < month):
        raise ArmError(400, "400", "The start date is the first of the current month or of a later one.")


def _server(subscription: Subscription, server: Json, known: Json | None) -> None:
    if known is None:
        if server["location"] in subscription.restricted:
            message = "Subscriptions are restricted from provisioning in this region. Please choose a different region."
            raise ArmError(400, "LocationIsOfferRestricted", message)
        return
    size, had = (one["properties"]["storage"]["storageSizeGB"] for one in (server, known))
    if size < had:
        message = f"The storage of the server cannot be reduced from {had} GB to {size} GB."
        raise ArmError(400, "StorageSizeReductionNotAllowed", message)


def _vault(subscription: Subscription, vault: Json, known: Json | None) -> None:
    properties: Json = vault["properties"]
    if properties.get("enablePurgeProtection") is False:
        message = 'The property "enablePurgeProtection" cannot be set to false.'
        raise ArmError(400, "BadRequest", message)
    recover = properties.get("createMode") == "recover"
    deleted = subscription.deleted_vaults.get(vault["name"])
    if deleted is not None and not recover:
        message = f"A vault with the name {vault['name']} is there in a deleted but recoverable state."
        raise ArmError(409, "ConflictError", message)
    if deleted is None and known is None and recover:
        raise ArmError(404, "DeletedVaultNotFound", f"There is no deleted vault {vault['name']} to recover.")
    before = known or deleted
    if before is None:
        return
    days, had = (one["properties"].get("softDeleteRetentionInDays") for one in (vault, before))
    if days != had:
        message = 'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.'
        raise ArmError(400, "BadRequest", message)
    if before["properties"].get("enablePurgeProtection") and not properties.get("enablePurgeProtection"):
        # What is left out stays as it is.
        properties["enablePurgeProtection"] = True


def _assignment(subscription: Subscription, assignment: Json) -> None:
    scope = assignment["id"].rsplit("/providers/", 1)[0].lower()
    bound = (assignment["properties"]["principalId"], assignment["properties"]["roleDefinitionId"].lower())
    for other in subscription.of_type("Microsoft.Authorization/roleAssignments", scope):
        same_scope = other["id"].rsplit("/providers/", 1)[0].lower() == scope
        same = (other["properties"]["principalId"], other["properties"]["roleDefinitionId"].lower()) == bound
        if same_scope and same and other["id"].lower() != assignment["id"].lower():
            raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")
