"""How much of an orchestration's time the SDK takes: `python -m bench.sdk_share LENGTH`, for bench/host.py.

Runs a chain on the bare engine (no host, no HTTP) and prints three numbers as JSON: CPU seconds inside the SDK as it is
shipped, inside the SDK with its timestamps remembered, and in all for the latter.
"""

import asyncio
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

from local.host.clock import SystemClock
from local.host.durable.extension import DurableExtension
from local.host.durable.inprocess import InProcessFunctions
from local.host.durable.options import DurableOptions

APP = Path(__file__).parent / "host_app" / "function_app.py"


class Timed(InProcessFunctions):
    """Adds up the CPU time of orchestrator invocations."""

    seconds = 0.0

    async def run_orchestrator(self, name: str, context: str, instance_id: str) -> str:
        began = time.process_time()
        try:
            return await super().run_orchestrator(name, context, instance_id)
        finally:
            self.seconds += time.process_time() - began


def functions() -> Timed:
    spec = importlib.util.spec_from_file_location("bench_host_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Timed(module.app.get_functions())


async def chain(length: int, *, remember: bool) -> tuple[float, float]:
    """CPU seconds inside the SDK, and in all."""
    with tempfile.TemporaryDirectory(prefix="bench-sdk-") as folder:
        timed = functions()
        options = DurableOptions(hub_name="bench")
        path = Path(folder) / "hub.db"
        extension = DurableExtension(timed, options, path, SystemClock(), cache_sdk=remember)
        await extension.start()
        began = time.process_time()
        instance_id = extension.operations.start("chain", json.dumps(str(length)))
        await extension.wait_finished(instance_id, 600)
        whole = time.process_time() - began
        assert extension.operations.status(instance_id).status == "Completed"
        await extension.stop()
        return timed.seconds, whole


if __name__ == "__main__":
    size = int(sys.argv[1])
    as_shipped, _ = asyncio.run(chain(size, remember=False))  # first: what is remembered once stays remembered
    in_sdk, in_all = asyncio.run(chain(size, remember=True))
    print(json.dumps([as_shipped, in_sdk, in_all]))
