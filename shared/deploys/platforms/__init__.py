"""Where apps run: the port `ContainerPlatform` and its adapters, one of which CONTAINER_PLATFORM chooses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from shared.deploys.settings import settings

if TYPE_CHECKING:
    from shared.deploys.platforms.base import ContainerPlatform

# An adapter holds clients and locks of one event loop; the worker has one, a test session has several.
_platforms: WeakKeyDictionary[asyncio.AbstractEventLoop, ContainerPlatform] = WeakKeyDictionary()


def platform() -> ContainerPlatform:
    """The platform that CONTAINER_PLATFORM names, for this event loop."""
    loop = asyncio.get_running_loop()
    chosen = _platforms.get(loop)
    if chosen is None:
        _platforms[loop] = chosen = _open()
    return chosen


def _open() -> ContainerPlatform:
    if settings().container_platform == "azure":
        from shared.deploys.platforms.azure import AzurePlatform  # noqa: PLC0415 - loads in the activity that needs it

        return AzurePlatform()
    from shared.deploys.platforms.local.platform import LocalPlatform  # noqa: PLC0415 - as above

    return LocalPlatform()
