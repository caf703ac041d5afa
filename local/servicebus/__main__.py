"""`python -m local.servicebus`: serve queues until a signal stops it."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local.host.core.database import DatabaseUnusable
from local.processes import port_in_use
from local.servicebus import KEY_VARIABLE
from local.servicebus.queues.broker import Broker
from local.servicebus.queues.settings import QueueSettings, SettingsError, merge, parse_queue, read_config
from local.servicebus.server import serve

CONFIG = Path(__file__).parent / "config.json"


def main() -> None:
    options = _parser().parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for flag, port in (("--port", options.port), ("--admin-port", options.admin_port)):
        if port and port_in_use(port, options.host):
            sys.exit(f"Port {port} is in use. Stop what uses it or pass {flag}.")
    try:
        asyncio.run(_run(options, _queues(options)))
    except (SettingsError, DatabaseUnusable) as problem:
        sys.exit(str(problem))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m local.servicebus", description="A stand-in for Azure Service Bus queues."
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=5672, help="AMQP without TLS (%(default)s; 0 takes a free one)")
    parser.add_argument("--admin-port", type=int, help="the administration API by HTTP; off unless given")
    parser.add_argument("--data", type=Path, required=True, help="the folder that keeps the messages")
    parser.add_argument(
        "--queue",
        action="append",
        default=[],
        metavar="NAME[,lock=PT1M][,max-delivery=10][,ttl=PT1H][,duplicate-detection=PT10M][,dead-letter-expired]",
        help="a queue; may be repeated, and replaces the one with the same name in --config",
    )
    parser.add_argument("--config", type=Path, help="queues from a file in the format of Microsoft's emulator")
    parser.add_argument(
        "--key",
        default=os.environ.get(KEY_VARIABLE),
        help=f"refuse tokens that are not signed with this SharedAccessKey, or that of {KEY_VARIABLE}",
    )
    return parser


def _queues(options: argparse.Namespace) -> list[QueueSettings]:
    given = [parse_queue(text) for text in options.queue]
    config = options.config or (None if given else CONFIG)
    return merge(read_config(config) if config else [], given)


async def _run(options: argparse.Namespace, queues: list[QueueSettings]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = Broker(options.data, queues)
    try:
        async with serve(broker, options.host, options.port, admin_port=options.admin_port, key=options.key) as (
            port,
            admin,
        ):
            extra = "" if admin is None else f", administration http://{options.host}:{admin}"
            names = " ".join(queue.name for queue in queues)
            sys.stdout.write(f"ready amqp://{options.host}:{port}{extra}, queues: {names}\n")
            sys.stdout.flush()
            await stop.wait()
    finally:
        broker.close()


if __name__ == "__main__":
    main()
