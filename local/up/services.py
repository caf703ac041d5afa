"""What runs: each local service's command, what it waits for, and where people find it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.up.ports import OF_SERVICE, Ports

NAMES = tuple(OF_SERVICE)
"""The services in the order of their start; they are stopped in the reverse order."""


@dataclass(frozen=True)
class Service:
    """A program that prints a line starting with `ready ` when it serves, and ends on SIGTERM."""

    name: str
    command: tuple[str, ...]
    address: str
    start_seconds: float = 60
    """Seconds it may take to be ready."""
    stop_seconds: float = 8
    """Seconds it may take to end before it is killed."""


def module(name: str, *arguments: object) -> tuple[str, ...]:
    """The command that runs a module of this project with this Python."""
    return (sys.executable, "-m", name, *map(str, arguments))


def services(
    ports: Ports, folder: Path, supplier_flags: Sequence[str] = (), host_flags: Sequence[str] = ()
) -> list[Service]:
    """All services on these ports, their data below the folder; the flags go to the supplier and the host."""
    queue_and_table = ("--queue-port", ports.azurite_queue, "--table-port", ports.azurite_table)
    return [
        Service(
            "azurite",
            module("local.azurite", "--port", ports.azurite, *queue_and_table, "--data", folder / "azurite"),
            f"http://127.0.0.1:{ports.azurite} (blobs)",
            stop_seconds=15,
        ),
        Service(
            "postgres",
            module("local.postgres", "--port", ports.postgres, "--data", folder / "postgres"),
            f"postgresql://127.0.0.1:{ports.postgres}/manifold",
            stop_seconds=30,  # the checkpoint after a bulk load
        ),
        Service(
            "servicebus",
            module(
                *("local.servicebus", "--port", ports.servicebus, "--admin-port", ports.servicebus_admin),
                *("--data", folder / "servicebus"),
            ),
            f"amqp://127.0.0.1:{ports.servicebus}",
        ),
        Service(
            "cosmos",
            module("local.cosmos", "--port", ports.cosmos, "--data", folder / "cosmos"),
            f"http://127.0.0.1:{ports.cosmos}",
        ),
        Service(
            "apps",
            module("local.apps", "--port", ports.apps, "--web-port", ports.web, "--data", folder / "apps"),
            f"http://127.0.0.1:{ports.apps}",
            stop_seconds=20,  # deployed apps may answer what they have begun
        ),
        Service(
            "supplier",
            module("local.supplier", "--port", ports.supplier, *supplier_flags),
            f"http://127.0.0.1:{ports.supplier}/graphql",
        ),
        Service(
            "smtp",
            module(
                *("local.smtp", "--port", ports.smtp, "--http-port", ports.mail, "--data", folder / "mail"),
                *("--inbound", f"http://127.0.0.1:{ports.host}/webhooks/mail"),
            ),
            f"smtp://127.0.0.1:{ports.smtp}, http://127.0.0.1:{ports.mail}/messages",
        ),
        Service(
            "host",
            # Deployed apps reach the ports of this machine: without keys they could end other organizations' work.
            module("local.host", ".", "--port", ports.host, "--data", folder / "host", "--enable-auth", *host_flags),
            f"http://127.0.0.1:{ports.host}",
            stop_seconds=20,  # running functions may end
        ),
    ]
