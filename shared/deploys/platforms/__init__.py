"""Where apps run: the port `ContainerPlatform` and its adapters, one of which CONTAINER_PLATFORM chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.deploys.settings import settings
from shared.platform.per_loop import PerLoop

if TYPE_CHECKING:
    from shared.deploys.platforms.base import ContainerPlatform


def platform() -> ContainerPlatform:
    """The platform that CONTAINER_PLATFORM names, for this event loop."""
    return _platforms.get()


def _open() -> ContainerPlatform:
    if settings().container_platform == "azure":
        from shared.deploys.platforms.azure import AzurePlatform  # noqa: PLC0415 - loads in the activity that needs it

        return AzurePlatform()
    from shared.deploys.platforms.local.platform import LocalPlatform  # noqa: PLC0415 - as above

    return LocalPlatform()


_platforms = PerLoop(_open)
