"""What the SDK alone takes of a workflow: `python -m bench.local_host.sdk_share NAME SIZE INSTANCES`.

Runs it on the bare engine (no host, no HTTP) and prints three numbers as JSON: CPU seconds inside the SDK as it is
shipped, inside the SDK with the host's caches before it, and in all for the latter.
"""

import asyncio
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.host.core.clock import SystemClock
from local.host.durable.extension import DurableExtension
from local.host.durable.model.options import DurableOptions
from local.host.durable.sdk.inprocess import InProcessFunctions

APP = Path(__file__).parent / "app" / "function_app.py"


class Timed(InProcessFunctions):
    """Adds up the CPU time inside the SDK: an orchestrator's call is one piece, in which nothing else runs."""

    def __init__(self, functions: Any) -> None:
        super().__init__(functions)
        self.seconds = 0.0
        orchestrators = self._found["orchestrationTrigger"]
        for key, (code, parameter, name) in orchestrators.items():
            orchestrators[key] = (self._timed(code), parameter, name)

    def _timed(self, code: Callable[..., Any]) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            began = time.process_time()
            try:
                return code(**arguments)
            finally:
                self.seconds += time.process_time() - began

        return call


def _functions() -> Timed:
    spec = importlib.util.spec_from_file_location("bench_host_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Timed(module.app.get_functions())


async def run(name: str, size: int, instances: int, *, cached: bool) -> tuple[float, float]:
    """CPU seconds inside the SDK, and in all."""
    with tempfile.TemporaryDirectory(prefix="bench-sdk-") as folder:
        timed = _functions()
        options = DurableOptions(hub_name="bench")
        path = Path(folder) / "hub.db"
        extension = DurableExtension(timed, options, path, SystemClock(), cache_sdk=cached)
        await extension.start()
        began = time.process_time()
        started = [extension.operations.start(name, json.dumps(str(size))) for _ in range(instances)]
        for instance_id in started:
            await extension.wait_finished(instance_id, 600)
        whole = time.process_time() - began
        assert all(extension.operations.status(one).status == "Completed" for one in started)
        await extension.stop()
        return timed.seconds, whole


if __name__ == "__main__":
    workload = (sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    as_shipped, _ = asyncio.run(run(*workload, cached=False))  # first: what is cached once stays cached
    in_sdk, in_all = asyncio.run(run(*workload, cached=True))
    print(json.dumps([as_shipped, in_sdk, in_all]))
