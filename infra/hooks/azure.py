"""What the hooks speak to Azure with: azd's own sign-in, and a client of the resource manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.identity import ChainedTokenCredential

ARM = "https://management.azure.com"
POSTGRES_API = "2025-08-01"
NOT_FOUND = 404
SIGN_IN_SECONDS = 60
"""azd and az are slow to start on a small machine, as in Cloud Shell."""


def credential(environment: Mapping[str, str]) -> ChainedTokenCredential:
    """The sign-in of `azd auth login`, which renews itself in a workflow as well; else that of `az login`."""
    from azure.identity import (  # noqa: PLC0415 - tests of the hooks need no Azure library
        AzureCliCredential,
        AzureDeveloperCliCredential,
        ChainedTokenCredential,
    )

    tenant = environment.get("AZURE_TENANT_ID", "")
    return ChainedTokenCredential(
        AzureDeveloperCliCredential(tenant_id=tenant, process_timeout=SIGN_IN_SECONDS),
        AzureCliCredential(tenant_id=tenant, process_timeout=SIGN_IN_SECONDS),
    )


def manager(signed_in: ChainedTokenCredential) -> httpx.Client:
    """A client of the resource manager."""
    token = signed_in.get_token(f"{ARM}/.default").token
    return httpx.Client(base_url=ARM, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def listed(client: httpx.Client, path: str, version: str) -> list[dict[str, Any]]:
    """What a path lists, all pages of it; nothing where the resource group is not there.

    Raises:
        httpx.HTTPStatusError: Azure did not tell.
    """
    answer = client.get(path, params={"api-version": version})
    found: list[dict[str, Any]] = []
    while answer.status_code != NOT_FOUND:
        answer.raise_for_status()
        page = answer.json()
        found += page["value"]
        if not page.get("nextLink"):
            break
        answer = client.get(page["nextLink"])
    return found


def of(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list that Azure may also leave out or give as null."""
    return holder.get(name) or []
