"""Start the local services and the app, and keep them running until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from local.up import Options, Ports, PortsBusyError, Stack, StartError, stack
from local.up.environment import ROOT
from local.up.services import NAMES


def main() -> int:
    options = _options()
    try:
        asyncio.run(_run(options))
    except (PortsBusyError, StartError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - clear lines instead of a traceback
        return 1
    return 0


async def _run(options: Options) -> None:
    me = asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        async with stack(options) as running:
            _say(_report(running))
            await asyncio.Event().wait()


def _report(running: Stack) -> str:
    ports = running.options.ports
    started = {s.service.name for s in running.services}
    lines = ["", running.table(), ""]
    if "host" in started:
        app = f"http://127.0.0.1:{ports.host}"
        lines += [f"Console  {app}/console", f"API docs {app}/docs"]
    if "smtp" in started:
        lines.append(f"Mails    http://127.0.0.1:{ports.mail}/")
    lines += [f"Logs     {running.logs}", "Ctrl-C stops everything.", f"ready {len(started)} services"]
    return "\n".join(lines)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.up", description=__doc__)
    Ports.add_flags(parser, os.environ)
    names = ", ".join((*NAMES, "migrate"))
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help=f"leave out one of: {names}")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("MANIFOLD_LOCAL_DIR", ROOT / ".local")),
        help="folder of data and logs, or MANIFOLD_LOCAL_DIR (%(default)s)",
    )
    parser.add_argument("--reload", action="store_true", help="load the app anew when its code changes")
    parser.add_argument("--diamonds", type=int, help="stones that the supplier offers (its own default: 53940)")
    parser.add_argument("--fault", action="append", default=[], help="a fault of the supplier, as its own flag")
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an app setting; may be repeated",
    )
    parsed = parser.parse_args()
    diamonds = () if parsed.diamonds is None else ("--diamonds", str(parsed.diamonds))
    faults = [flag for fault in parsed.fault for flag in ("--fault", fault)]
    return Options(
        ports=Ports.of_flags(parsed),
        folder=parsed.data,
        without=frozenset(parsed.without),
        supplier_flags=(*diamonds, *faults),
        host_flags=("--reload",) if parsed.reload else (),
        overrides=dict(parsed.set),
        say=_say,
    )


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    sys.exit(main())
