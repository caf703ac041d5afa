"""See before a provisioning that Azure OpenAI gives the models that it will be asked for.

A deployment that a region does not offer, or for which no quota is left, ends a provisioning after a quarter of an
hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.hooks.azure import listed, of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

MODELS_API = "2025-06-01"
PROVIDER = "Microsoft.CognitiveServices"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model that is to be deployed, and its capacity: thousands of tokens a minute, or of a batch's tokens waiting.

    Attributes:
        setting: the variable that says how much.
    """

    name: str
    model: str
    version: str
    kind: str
    capacity: int
    setting: str


def wanted(environment: Mapping[str, str]) -> list[Deployment]:
    """What openAi.bicep deploys with these variables."""
    model = environment.get("FOLLOWUPS_MODEL") or "gpt-4.1-mini"
    version = environment.get("OPENAI_MODEL_VERSION") or "2025-04-14"
    capacity = int(environment.get("OPENAI_CAPACITY") or 20)
    found = [Deployment(model, model, version, "GlobalStandard", capacity, "OPENAI_CAPACITY")]
    if environment.get("PAPERS_EMBEDDER") == "openai":
        model = environment.get("PAPERS_OPENAI_MODEL") or "text-embedding-3-small"
        version = environment.get("PAPERS_OPENAI_MODEL_VERSION") or "1"
        capacity = int(environment.get("PAPERS_OPENAI_CAPACITY") or 150)
        for name, kind in ((model, "GlobalStandard"), (f"{model}-batch", "GlobalBatch")):
            found.append(Deployment(name, model, version, kind, capacity, "PAPERS_OPENAI_CAPACITY"))
    return found


def check_models(client: httpx.Client, subscription: str, name: str, environment: Mapping[str, str]) -> None:
    """See that the region of the models offers them, with as much capacity as is asked for, and the account's name.

    Raises:
        SystemExit: it does not; the message says what to set or run.
        httpx.HTTPStatusError: Azure did not tell.
    """
    region = environment["OPENAI_LOCATION"]
    place = f"/subscriptions/{subscription}/providers/{PROVIDER}"
    group = f"/resourcegroups/rg-{name}/"
    for deleted in listed(client, f"{place}/deletedAccounts", MODELS_API):
        if group.lower() in f"{deleted['id']}/".lower():
            command = f"az cognitiveservices account purge --ids {deleted['id']}"
            raise SystemExit(f"The account of models was deleted and its name is still held. Run `{command}`.")
    models = listed(client, f"{place}/locations/{region}/models", MODELS_API)
    usages = {one["name"]["value"]: one for one in listed(client, f"{place}/locations/{region}/usages", MODELS_API)}
    ours = _deployed(client, subscription, name)
    for deployment in wanted(environment):
        usage = usages.get(_usage_name(models, deployment, region))
        if usage is None:
            continue  # Azure counts nothing of it
        left = int(usage["limit"] - usage["currentValue"]) + ours.get(deployment.name, 0)
        if deployment.capacity > left:
            raise SystemExit(
                f"{region} has a quota of {left} left for {deployment.model} as {deployment.kind}, in thousands of"
                f" tokens, not {deployment.capacity}. `azd env set {deployment.setting} {max(left, 1)}`, choose another"
                " region with OPENAI_LOCATION, or ask for more quota in the portal."
            )


def _usage_name(models: list[dict[str, Any]], wanted: Deployment, region: str) -> str:
    """Under which name Azure counts the capacity of the deployment.

    Raises:
        SystemExit: the region does not offer it.
    """
    versions: set[str] = set()
    for model in (
        one["model"] for one in models if one.get("kind") == "OpenAI" and one["model"]["name"] == wanted.model
    ):
        versions.add(str(model["version"]))
        for sku in of(model, "skus"):
            if (model["version"], sku["name"]) == (wanted.version, wanted.kind):
                return str(sku.get("usageName", ""))
    there = (
        f"it offers version {', '.join(sorted(versions))}, not each in this way" if versions else "it has no such model"
    )
    raise SystemExit(
        f"{region} offers no {wanted.model} {wanted.version} as {wanted.kind}: {there}. Choose another region for the"
        " models alone: `azd env set OPENAI_LOCATION REGION`, or set the model's version."
    )


def _deployed(client: httpx.Client, subscription: str, name: str) -> dict[str, int]:
    """What the environment has deployed already, which counts as used: capacities by the deployments' names."""
    path = f"/subscriptions/{subscription}/resourceGroups/rg-{name}/providers/{PROVIDER}/accounts"
    return {
        one["name"]: int(one["sku"]["capacity"])
        for account in listed(client, path, MODELS_API)
        for one in listed(client, f"{account['id']}/deployments", MODELS_API)
    }
