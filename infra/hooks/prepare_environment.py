"""Run by azd before it provisions: look at what is there, so that the templates ask for nothing that Azure refuses.

A second provisioning must not move the start of the budget, shrink a disk that has grown, or make a vault whose name a
deleted one still holds; and a region that has no PostgreSQL for this subscription, or no quota for a model, is better
told at once than after a quarter of an hour. What is found is written into azd's environment, which the templates'
parameters read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import httpx

from infra.hooks.azure import NOT_FOUND, POSTGRES_API, credential, listed, manager, of
from infra.hooks.model_quota import PROVIDER as MODELS
from infra.hooks.model_quota import check_models
from infra.hooks.providers import register

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAPH = "https://graph.microsoft.com"
POSTGRES_VERSION = "18"
BUDGETS_API = "2024-08-01"
VAULTS_API = "2024-11-01"
SITES_API = "2024-11-01"
OK = 200
NEEDED = ("AZURE_SUBSCRIPTION_ID", "AZURE_LOCATION", "AZURE_ENV_NAME")


def budget_start(client: httpx.Client, subscription: str, name: str, today: date) -> str:
    """The start of the environment's budget if it has one, since nobody can change it; else the first of this month.

    Empty where Azure keeps no budgets (on a new subscription for up to two days, with some offers never) or does not
    show them to who provisions: then none is made, and one that is there stays as it is.

    Raises:
        httpx.HTTPStatusError: Azure did not answer for a moment; a guess could make the provisioning fail.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.Consumption/budgets/budget-{name}"
    answer = client.get(path, params={"api-version": BUDGETS_API})
    if answer.status_code == NOT_FOUND:
        return today.replace(day=1).isoformat()
    if answer.is_client_error:
        _say(
            f"Azure shows no budgets of this subscription ({answer.status_code}), so none is made. On a new one,"
            " provision again in two days; else see whether you may read its costs."
        )
        return ""
    answer.raise_for_status()
    return answer.json()["properties"]["timePeriod"]["startDate"][:10]


def servers(client: httpx.Client, subscription: str, name: str) -> list[dict[str, Any]]:
    """The database servers that the environment has already: none or one."""
    path = f"/subscriptions/{subscription}/resourceGroups/rg-{name}/providers/Microsoft.DBforPostgreSQL/flexibleServers"
    return listed(client, path, POSTGRES_API)


def storage_gb(known: list[dict[str, Any]], wanted: int) -> int:
    """The size of the database's disk in GB: what is wanted, but never less than auto-grow has made of it."""
    return max([wanted, *(server["properties"]["storage"]["storageSizeGB"] for server in known)])


def vault_retention(client: httpx.Client, subscription: str, name: str, wanted: int) -> int:
    """The days that deleted vaults can be had back: nobody can change those of a vault that is there.

    Raises:
        httpx.HTTPStatusError: Azure did not tell.
    """
    path = f"/subscriptions/{subscription}/resourceGroups/rg-{name}/providers/Microsoft.KeyVault/vaults"
    for vault in listed(client, path, VAULTS_API):
        days = vault["properties"].get("softDeleteRetentionInDays")
        if days and days != wanted:
            _say(f"The vaults keep what is deleted for {days} days, not {wanted}: set when they were made, for good.")
            return days
    return wanted


def vault_modes(client: httpx.Client, subscription: str, name: str, location: str) -> dict[str, str]:
    """For each of the two vaults whether it is made or had back: `recover` where it was deleted and not purged.

    One that was deleted in another region has another name there, and is none of these.

    Raises:
        httpx.HTTPStatusError: Azure did not tell.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
    deleted = (vault["properties"] for vault in listed(client, path, VAULTS_API))
    ids = {one["vaultId"].lower() for one in deleted if _region(one["location"]) == _region(location)}
    groups = {"VAULT_CREATE_MODE": f"rg-{name}", "DEPLOYED_APPS_VAULT_CREATE_MODE": f"rg-{name}-apps"}
    return {
        variable: "recover" if any(f"/resourcegroups/{group.lower()}/" in id_ for id_ in ids) else "default"
        for variable, group in groups.items()
    }


def operator_sign_in(client: httpx.Client, subscription: str, name: str, client_id: str) -> str:
    """`entra` where operators are to sign in and the sign-in is switched on in front of the app already, else `none`.

    The app believes what the platform says of who is signed in. Were it to before the platform checks that, anybody
    could say it: so the first provisioning switches the sign-in on, and the next one has the app believe it.

    Raises:
        httpx.HTTPStatusError: Azure did not tell.
    """
    if not client_id:
        return "none"
    path = f"/subscriptions/{subscription}/resourceGroups/rg-{name}/providers/Microsoft.Web/sites"
    for site in listed(client, path, SITES_API):
        answer = client.get(f"{site['id']}/config/authsettingsV2", params={"api-version": SITES_API})
        if answer.status_code != NOT_FOUND:
            answer.raise_for_status()
            if (answer.json()["properties"].get("platform") or {}).get("enabled"):
                return "entra"
    _say("The sign-in with Entra is being switched on. Run `azd provision` once more, and the app will take it.")
    return "none"


def check_database(client: httpx.Client, subscription: str, location: str, tier: str, size: str) -> None:
    """See that the subscription may have the database in the region.

    Raises:
        SystemExit: it may not; the message says what to set.
        httpx.HTTPStatusError: Azure did not tell.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.DBforPostgreSQL/locations/{location}/capabilities"
    remedy = "Choose another region for the database alone: `azd env set DATABASE_LOCATION REGION`."
    found = listed(client, path, POSTGRES_API)
    if not found or any(one.get("restricted") == "Enabled" for one in found):
        reason = next((one["reason"] for one in found if one.get("reason")), "no PostgreSQL is offered there")
        raise SystemExit(f"The subscription may have no PostgreSQL in {location}: {reason} {remedy}")
    versions = {one["name"] for capability in found for one in of(capability, "supportedServerVersions")}
    if POSTGRES_VERSION not in versions:
        raise SystemExit(f"{location} offers PostgreSQL {', '.join(sorted(versions))}, not 18. {remedy}")
    editions = [one for capability in found for one in of(capability, "supportedServerEditions")]
    offered = [one for one in editions if one["name"].lower() == tier.lower()]
    sizes = {sku["name"].lower() for edition in offered for sku in of(edition, "supportedServerSkus")}
    if size.lower() not in sizes:
        raise SystemExit(f"{location} offers no {size} ({tier}). {remedy} Or set POSTGRES_SKU_NAME and _TIER.")


def operator_name(environment: Mapping[str, str], graph: httpx.Client) -> str:
    """The name that the operator signs in to the database with.

    Raises:
        SystemExit: it cannot be found out; the message says what to set.
    """
    given = environment.get("DATABASE_ADMIN_NAME")
    if given:
        return given
    remedy = "Set it: `azd env set DATABASE_ADMIN_NAME ...`, the name of the user, group or identity in Entra."
    if environment.get("DATABASE_ADMIN_ID"):
        raise SystemExit(f"DATABASE_ADMIN_ID is set, and DATABASE_ADMIN_NAME is not. {remedy}")
    answer = graph.get("/v1.0/me", params={"$select": "userPrincipalName"})
    if answer.status_code != OK:
        raise SystemExit(f"DATABASE_ADMIN_NAME is not set, and who provisions is no person. {remedy}")
    return answer.json()["userPrincipalName"]


def found_out(client: httpx.Client, environment: Mapping[str, str], today: date) -> dict[str, str]:
    """What azd's environment has to say so that the templates fit what is there.

    Raises:
        SystemExit: the subscription, region or name is missing, a provider cannot be registered, or the region has no
            database to offer.
        httpx.HTTPStatusError: Azure did not tell what is there.
    """
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not set. `azd up` asks for them; `azd env set NAME VALUE` sets one.")
    subscription, location, name = (environment[needed] for needed in NEEDED)
    size = environment.get("POSTGRES_SKU_NAME") or "Standard_B2s"
    tier = environment.get("POSTGRES_SKU_TIER") or "Burstable"
    register(client, subscription)
    if environment.get("OPENAI_LOCATION"):
        register(client, subscription, names=(MODELS,))
        check_models(client, subscription, name, environment)
    known = servers(client, subscription, name)
    if not known:  # one that is there stays, whatever the region offers to others by now
        check_database(client, subscription, environment.get("DATABASE_LOCATION") or location, tier, size)
    wanted = int(environment.get("POSTGRES_STORAGE_GB") or 32)
    retention = int(environment.get("VAULT_RETENTION_DAYS") or 7)
    budget = environment.get("MONTHLY_BUDGET") != "0"
    return {
        "BUDGET_START": budget_start(client, subscription, name, today) if budget else "",
        "POSTGRES_STORAGE_GB": str(storage_gb(known, wanted)),
        "VAULT_RETENTION_DAYS": str(vault_retention(client, subscription, name, retention)),
        "OPERATOR_SIGN_IN": operator_sign_in(client, subscription, name, environment.get("SIGN_IN_CLIENT_ID", "")),
        **vault_modes(client, subscription, name, location),
    }


def _region(name: str) -> str:
    """A region's name as it is compared: Azure writes "North Europe" here and "northeurope" there."""
    return name.replace(" ", "").lower()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    signed_in = credential(os.environ)
    with manager(signed_in) as client:
        values = found_out(client, os.environ, datetime.now(UTC).date())
    headers = {"Authorization": f"Bearer {signed_in.get_token(f'{GRAPH}/.default').token}"}
    with httpx.Client(base_url=GRAPH, headers=headers, timeout=60) as graph:
        values["DATABASE_ADMIN_NAME"] = operator_name(os.environ, graph)
    for name, value in values.items():
        subprocess.run(["azd", "env", "set", name, value], check=True)  # noqa: S603, S607 - fixed words, azd runs us


if __name__ == "__main__":
    main()
