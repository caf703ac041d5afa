"""`manifold-host APP_DIR`, or `python -m local.host APP_DIR`: run a Python v2 function app on this machine."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from local.host.core import logs
from local.host.core.errors import ConfigurationError
from local.host.core.logs import LogLevels, host_log
from local.host.host import Host
from local.host.settings.host_json import read_host_json
from local.host.settings.local_settings import read_local_settings
from local.host.settings.options import HostOptions
from local.host.tools import banner
from local.host.web.embedded import loop_factory

# Tells what is no event of the log: printed as Core Tools prints it, or with --json logged at the level.
Say = Callable[[str, int], None]
# What closing connections may take after the grace period, before the process ends regardless.
_CLOSING_SECONDS = 10.0


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM, or one command for a running host; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    # A folder of that name is given as ./durable.
    if words[:1] == ["durable"]:
        from local.host.tools import durable_commands  # noqa: PLC0415 - no start of a host needs it

        return durable_commands.main(words[1:])
    options = _parser().parse_args(words)
    app = Path(options.app).resolve()
    levels, settings = LogLevels({}), dict(os.environ)
    problem = "" if app.is_dir() else f"{app} is not a folder. Pass the folder that holds function_app.py."
    try:
        settings = {**read_local_settings(app, os.environ).applied, **os.environ}
        level = options.user_log_level or settings.get("FUNCTIONS_USER_LOG_LEVEL", "").lower()
        levels = LogLevels.parse(
            read_host_json(app, settings).section("logging.logLevel"), level if level in logs.LEVELS else None
        )
    except ConfigurationError as error:
        problem = str(error)
    logs.install(logs.to_console(levels, as_json=options.json, verbose=options.verbose), levels, settings)
    say = _log_line if options.json else _print_line
    if problem:
        say(problem, logging.ERROR)
        return 1
    host = Host(
        HostOptions(
            app=app,
            data=Path(options.data).resolve() if options.data else None,
            port=options.port,
            address=options.address,
            only=tuple(options.functions or ()),
            enable_auth=options.enable_auth,
            cors=options.cors,
            cors_credentials=options.cors_credentials,
            grace_seconds=options.grace,
        )
    )
    # Compiled files know changes by the second only: one made right after a load would be missed.
    sys.dont_write_bytecode = sys.dont_write_bytecode or options.reload
    # Functions find their files by relative paths, as under Core Tools.
    os.chdir(app)
    # What functions print is seen at once, also through a pipe.
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue] - a TextIOWrapper, here
    with asyncio.Runner(loop_factory=None if _patches_loop(app) else loop_factory()) as runner:
        return runner.run(_serve(host, say, reload=options.reload))


async def _serve(host: Host, say: Say, *, reload: bool) -> int:
    stop = asyncio.Event()
    _stop_on_signals(stop, host.options.grace_seconds)
    say(banner.banner(), logging.INFO)
    try:
        await host.start()
    except ConfigurationError as error:
        say(str(error), logging.ERROR)
        return 1
    watcher = asyncio.create_task(_watch(host, say)) if reload else None
    await asyncio.sleep(0)  # the files are watched from here on, so no change after "ready" is missed
    _announce(host, say)
    _print_line(f"ready http://localhost:{host.app.port}", logging.INFO)  # with --json, too: tools wait for this line
    host_log.info("Worker process started and initialized.")
    await stop.wait()
    host_log.info("Stopping. Running functions have %g s to end.", host.options.grace_seconds)
    if watcher is not None:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
    await host.stop()
    host_log.info("Stopped.")
    _leave()
    return 0


def _announce(host: Host, say: Say) -> None:
    _list_functions(host, say)
    resumed = banner.resumed_line(host.app)
    if resumed is not None:
        say(resumed, logging.INFO)
    if host.options.enable_auth:
        say(f"Keys are required: header x-functions-key or ?code=. They are in {host.app.keys.path}", logging.INFO)
    say("For detailed output, pass --verbose.", logging.INFO)
    say(f"Host page: http://localhost:{host.app.port}/admin/host/page", logging.INFO)


def _list_functions(host: Host, say: Say) -> None:
    for line in banner.function_lines(host.app):
        say(line, logging.INFO)
    for line in banner.problems(host.app):
        say(line, logging.ERROR)


async def _watch(host: Host, say: Say) -> None:
    from local.host.indexing.watching import changes  # noqa: PLC0415 - watchfiles is needed with --reload alone

    async for changed in changes(host.options.app):
        settings = [name for name in changed if name.endswith(".json")]
        if settings:
            host_log.warning("%s changed: it is read at the start only, so restart the host.", ", ".join(settings))
        if settings == changed:
            continue
        host_log.info("%s changed: loading the functions anew.", ", ".join(changed))
        await host.reload()
        _list_functions(host, say)


def _stop_on_signals(stop: asyncio.Event, grace: float) -> None:
    """Stop at the first signal, at once at the second, and in any case, even when code blocks the loop."""
    loop = asyncio.get_running_loop()
    stopping = threading.Event()

    def on_signal(*_: object) -> None:
        if stopping.is_set():
            _leave(code=130)
        stopping.set()
        last_resort = threading.Timer(grace + _CLOSING_SECONDS, _leave)
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)


def _leave(code: int = 0) -> None:
    """End the process now: a function that hangs in its thread would keep the interpreter from ending."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _patches_loop(app: Path) -> bool:
    """Whether nest_asyncio is there, which can patch the loop of Azure's worker, and here asyncio's own, not uvloop."""
    packages = (app / ".python_packages" / "lib" / "site-packages", *map(Path, sys.path))
    return any((folder / "nest_asyncio.py").is_file() for folder in packages)


def _print_line(text: str, level: int) -> None:
    stream = sys.stderr if level >= logging.ERROR else sys.stdout
    stream.write(text + "\n")
    stream.flush()


def _log_line(text: str, level: int) -> None:
    host_log.log(level, "%s", text.strip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manifold-host", description=__doc__)
    parser.add_argument("app", metavar="APP_DIR", nargs="?", default=".", help="the folder with function_app.py")
    parser.add_argument("-p", "--port", type=int, help="7071, or Host.LocalHttpPort of local.settings.json; 0 for any")
    parser.add_argument("--address", help="127.0.0.1, or Host.LocalHttpAddress of local.settings.json")
    parser.add_argument("--data", metavar="DIR", help="where state is kept: APP_DIR/.local/host")
    parser.add_argument("--functions", nargs="+", metavar="NAME", help="run these functions only")
    parser.add_argument("--reload", action="store_true", help="load the code anew when a file changes")
    parser.add_argument("--json", action="store_true", help="log one JSON object a line")
    parser.add_argument("--enable-auth", "--enableAuth", action="store_true", help="ask for keys as Azure does")
    parser.add_argument("--cors", metavar="ORIGINS", help="origins that may call, divided by commas; * for all")
    parser.add_argument("--cors-credentials", action="store_true", help="let these origins send cookies")
    parser.add_argument(
        "--user-log-level",
        type=str.lower,
        choices=logs.LEVELS,
        metavar="LEVEL",
        help=f"lowest level shown of what functions log: {', '.join(logs.LEVELS)}",
    )
    parser.add_argument("--verbose", action="store_true", help="show what libraries log, too")
    parser.add_argument("--grace", type=float, default=5.0, metavar="SECONDS", help="time to end for running functions")
    return parser


if __name__ == "__main__":
    sys.exit(main())
