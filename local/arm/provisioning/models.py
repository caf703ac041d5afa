"""What a region offers of models, and how much of each the subscription may still have, as a provisioning asks."""

from __future__ import annotations

from local.arm.cloud import Json
from local.arm.provisioning.subscription import Subscription

VERSIONS = {
    "gpt-4.1": "2025-04-14",
    "gpt-4.1-mini": "2025-04-14",
    "text-embedding-3-small": "1",
    "text-embedding-3-large": "1",
}
KINDS = ("GlobalStandard", "GlobalBatch")


def usage_name(kind: str, model: str) -> str:
    """Under which name a subscription's use of a model is counted."""
    return f"OpenAI.{kind}.{model}"


def offered(subscription: Subscription) -> list[Json]:
    """The models, each with the kinds of deployment that there are of it."""
    return [
        {
            "kind": "OpenAI",
            "skuName": "S0",
            "model": {
                "format": "OpenAI",
                "name": name,
                "version": version,
                "skus": [{"name": kind, "usageName": usage_name(kind, name)} for kind in KINDS],
            },
        }
        for name, version in VERSIONS.items()
        if name not in subscription.models_not_offered
    ]


def used(subscription: Subscription) -> list[Json]:
    """What is deployed, in thousands of tokens, and the limit of each."""
    counted = dict.fromkeys((usage_name(kind, name) for name in VERSIONS for kind in KINDS), 0)
    for one in subscription.of_type("Microsoft.CognitiveServices/accounts/deployments"):
        counted[usage_name(one["sku"]["name"], one["properties"]["model"]["name"])] += one["sku"]["capacity"]
    return [
        {"name": {"value": name}, "unit": "Count", "currentValue": float(value), "limit": subscription.model_quota}
        for name, value in counted.items()
    ]
