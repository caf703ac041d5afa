"""Serve the stand-in of the diamond supplier until SIGTERM or Ctrl-C."""

import argparse
import sys
from typing import Any

from pydantic import ValidationError

from local.serving import serve
from local.supplier.app import create_app
from local.supplier.catalogue import DATA_SET_SIZE
from local.supplier.faults import Fault, FaultName, FaultSettings, parse


def _fault(text: str) -> tuple[FaultName, Fault]:
    try:
        return parse(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: the faults are {', '.join(FaultName)}") from None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.supplier", description=__doc__)
    add: Any = parser.add_argument
    add("--port", type=int, default=8400, help="TCP port on 127.0.0.1 (default %(default)s)")
    add("--diamonds", type=int, default=DATA_SET_SIZE, help="stones on offer; more than %(default)s are replicas")
    add("--price-unit", choices=("cents", "dollars"), default="cents", help="unit of prices in answers (%(default)s)")
    add("--cents-in-prices", action="store_true", help="prices have cents, and not whole dollars only")
    add("--rate-limit", type=float, default=0, help="requests that any second may hold before 429; 0: any number")
    add("--latency-ms", type=float, default=0, help="milliseconds that every answer takes longer")
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME[:PROBABILITY[:SECONDS]]",
        help=f"switch a fault on; may be repeated. Names: {', '.join(FaultName)}",
    )
    add("--seed", type=int, default=1, help="decides where faults strike (default %(default)s)")
    add("--username", default="manifold")
    add("--password", default="manifold", help="also the API key of the REST feed")
    return parser.parse_args()


def main() -> int:
    options = _options()
    app = create_app(
        options.diamonds,
        price_unit=options.price_unit,
        cents_in_prices=options.cents_in_prices,
        rate_limit=options.rate_limit,
        latency_seconds=options.latency_ms / 1000,
        faults=FaultSettings(seed=options.seed, faults=dict(options.fault)),
        username=options.username,
        password=options.password,
    )
    address = f"http://127.0.0.1:{options.port}/graphql"
    return serve(app, options.port, f"ready {address} {options.diamonds} diamonds")


if __name__ == "__main__":
    sys.exit(main())
