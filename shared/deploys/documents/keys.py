"""Idempotency keys beside the deployments that they name: one document each, deleted with its deployment.

A deployment's id is not made of its key: builds and messages are known by it, also after the deployment is deleted.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from shared.deploys.documents.store import DEPLOYMENTS

if TYPE_CHECKING:
    from shared.deploys.models import Deployment


def document_id(key: str) -> str:
    """Of the document of a key, which may be any text."""
    return f"key:{hashlib.sha256(key.encode()).hexdigest()}"


async def find(organization: str, key: str) -> str | None:
    """The id of the deployment that the key names."""
    written = await DEPLOYMENTS.find(document_id(key), organization)
    return str(written["deploymentId"]) if written else None


async def claim(deployment: Deployment, key: str) -> str:
    """Let the key name the deployment, unless it names one; which it then names."""

    def claimed(written: dict[str, Any] | None) -> dict[str, Any] | None:
        if written is not None:
            return None
        return {
            "id": document_id(key),
            "organizationId": deployment.organization_id,
            "type": "key",
            "deploymentId": deployment.id,
        }

    kept = await DEPLOYMENTS.change(document_id(key), deployment.organization_id, claimed)
    return str((kept or {})["deploymentId"])
