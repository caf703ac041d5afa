"""`make demo`: start everything, play the acts, say what happened, stop everything. `make demo ACT=name` plays one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time

from rich.console import Console

from local.demo import papers_map
from local.demo.acts import ACTS
from local.demo.client import DemoFailed, open_app
from local.up import ROOT, Options, Ports, PortsBusyError, StartError, stack

INTERRUPTED = 130
FOLDER = ROOT / ".local" / "demo"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("acts", nargs="*", metavar="ACT", help=f"which to play: {', '.join(ACTS)} (default: all)")
    names = parser.parse_args().acts or list(ACTS)
    if unknown := [name for name in names if name not in ACTS]:
        parser.error(f"there is no act {', '.join(unknown)}; there are {', '.join(ACTS)}")
    console = Console(width=None if sys.stdout.isatty() else 100)
    try:
        return asyncio.run(_demo(console, names))
    except (DemoFailed, PortsBusyError, StartError) as error:
        console.print(f"[red]The demo failed.[/red] {error}")
        return 1


async def _demo(console: Console, names: list[str]) -> int:
    me = asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel)
    began = time.monotonic()
    # Ports of its own: the demo runs beside `make up`. The supplier keeps the vendor's limit of 25 requests/s.
    ports = Ports.free()
    options = Options(
        ports=ports,
        folder=FOLDER,
        supplier_flags=("--rate-limit", "25"),
        overrides={
            "FOLLOWUPS_PUBLIC_URL": f"http://127.0.0.1:{ports.host}",
            **{name: value for act in names for name, value in ACTS[act].settings.items()},
        },
    )
    with contextlib.suppress(asyncio.CancelledError):
        console.print("Starting Azurite, PostgreSQL, Service Bus, the supplier, the mail sink and the app ...")
        async with stack(options) as running, open_app(running) as app:
            console.print(running.table())
            for name in names:
                await ACTS[name].run(running, app, console)
        console.print(f"All services are stopped again. The demo took {time.monotonic() - began:.0f} s.")
        for line in _next(names):
            console.print(line, soft_wrap=True)
        return 0
    console.print("Interrupted; all services are stopped.")
    return INTERRUPTED


def _next(names: list[str]) -> list[str]:
    """What to do when the services are stopped: their data are kept."""
    app = f"http://127.0.0.1:{Ports().host}"
    lines = [
        "Next: `make test` proves it all.",
        f"`MANIFOLD_LOCAL_DIR={FOLDER.relative_to(ROOT)} make up` starts them again with what the demo made:",
        f"    the console: {app}/console",
    ]
    if "papers" in names:
        lines += [f"    the map:     {app}/console/map.html", f"Its picture:     {FOLDER / papers_map.PICTURE}"]
    return lines


if __name__ == "__main__":
    sys.exit(main())
