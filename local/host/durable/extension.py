"""Durable Functions' backend: the task hub, its dispatcher, and the two HTTP doors that the shell mounts."""

from pathlib import Path

from starlette.applications import Starlette

from local.host.clock import Clock
from local.host.durable.options import DurableOptions
from local.host.durable.ports import DurableFunctions, Resumed


class DurableExtension:
    """One task hub and everything that runs on it."""

    management: Starlette
    rpc: Starlette

    def __init__(self, functions: DurableFunctions, options: DurableOptions, hub_path: Path, clock: Clock) -> None:
        self.management = Starlette()
        self.rpc = Starlette()

    async def start(self) -> Resumed:
        """Open the hub and resume what was running when the last process ended."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Finish the current turns within a grace time; what does not finish runs again at the next start."""
        raise NotImplementedError

    def client_binding(self, base_url: str, key: str, rpc_base_url: str) -> str:
        """The JSON text that a durableClient input binding receives."""
        raise NotImplementedError

    def diagnosis(self, instance_id: str) -> list[str]:
        """Why an instance hangs or lost something that Azure would lose in silence, each with the remedy."""
        raise NotImplementedError
