"""Receive mails until SIGTERM or Ctrl-C, and keep them."""

import argparse
import os
import sys
from pathlib import Path

from local.processes import port_in_use
from local.serving import serve
from local.smtp.app import create_app
from local.smtp.inbound import Inbound
from local.smtp.sink import LostAnswers, Rejection, Sink


def _rejection(text: str) -> Rejection:
    address, _, code = text.rpartition("=")
    try:
        return Rejection(address=address, code=int(code))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS=CODE with a code from 400 to 599") from None


def main() -> int:
    local = Path(os.environ.get("MANIFOLD_LOCAL_DIR", ".local"))
    parser = argparse.ArgumentParser(prog="python -m local.smtp", description=__doc__)
    parser.add_argument("--port", type=int, default=1025, help="SMTP port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--http-port", type=int, default=8025, help="port that shows the mails (default %(default)s)")
    parser.add_argument("--data", type=Path, default=local / "mail", help="folder of the mails (default %(default)s)")
    parser.add_argument(
        "--reject",
        type=_rejection,
        action="append",
        default=[],
        metavar="ADDRESS=CODE",
        help="refuse a recipient, or * for any, with a code such as 550 or 451; may be repeated",
    )
    parser.add_argument(
        "--lose-answers",
        type=int,
        default=0,
        metavar="N",
        help="keep every Nth mail and cut its connection in place of the answer (default: of none)",
    )
    parser.add_argument(
        "--inbound",
        metavar="URL",
        help="hand mails to FOLLOWUPS_REPLY_TO over to the app at this address, with its ADMIN_API_KEY (default: none)",
    )
    options = parser.parse_args()
    if port_in_use(options.port):
        print(f"Port {options.port} is in use. Stop what uses it or pass --port.", file=sys.stderr)  # noqa: T201 - as is
        return 1
    sink = Sink(options.data)
    for rejection in options.reject:
        sink.reject(rejection)
    sink.lost_answers = LostAnswers(every=options.lose_answers)
    address, key = os.environ.get("FOLLOWUPS_REPLY_TO"), os.environ.get("ADMIN_API_KEY")
    if options.inbound and address and key:
        sink.inbound = Inbound(address, options.inbound, key)
    ready = f"ready smtp://127.0.0.1:{options.port} mails at http://127.0.0.1:{options.http_port}/messages"
    return serve(create_app(sink, options.port), options.http_port, ready, "--http-port")


if __name__ == "__main__":
    sys.exit(main())
