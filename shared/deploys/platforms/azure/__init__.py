"""Azure as a container platform: images are built by ACR Tasks and run by Container Apps."""

from __future__ import annotations

from shared.deploys.platforms.azure.platform import AzurePlatform

__all__ = ["AzurePlatform"]
