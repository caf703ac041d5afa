"""`make demo`: start everything, do the main job, say what happened, stop everything."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time

from rich.console import Console

from local.demo import deploys, diamonds
from local.demo.client import DemoFailed, open_app
from local.up import ROOT, Options, Ports, PortsBusyError, StartError, stack

INTERRUPTED = 130


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 100)
    try:
        return asyncio.run(_demo(console))
    except (DemoFailed, PortsBusyError, StartError) as error:
        console.print(f"[red]The demo failed.[/red] {error}")
        return 1


async def _demo(console: Console) -> int:
    me = asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel)
    began = time.monotonic()
    # Ports of its own: the demo runs beside `make up`. The supplier keeps the vendor's limit of 25 requests/s.
    options = Options(ports=Ports.free(), folder=ROOT / ".local" / "demo", supplier_flags=("--rate-limit", "25"))
    with contextlib.suppress(asyncio.CancelledError):
        console.print("Starting Azurite, PostgreSQL, Service Bus, the supplier, the mail sink and the app ...")
        async with stack(options) as running, open_app(running) as app:
            console.print(running.table())
            console.print(f"\nA full run of the diamond feed; watch it at {running['host'].service.address}/console")
            await diamonds.run(running, app, console)
            await deploys.run(app, console)
        console.print(f"All services are stopped again. The demo took {time.monotonic() - began:.0f} s.")
        console.print("Next: `make up` keeps them running with the console; `make test` proves it all.")
        return 0
    console.print("Interrupted; all services are stopped.")
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
