"""Where each local service listens, how that is chosen, and that it is free."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

from local.processes import free_ports, port_in_use

OF_SERVICE = {
    "azurite": ("azurite", "azurite_queue", "azurite_table"),
    "postgres": ("postgres",),
    "servicebus": ("servicebus", "servicebus_admin"),
    "cosmos": ("cosmos",),
    "apps": ("apps", "web"),
    "supplier": ("supplier",),
    "smtp": ("smtp", "mail"),
    "host": ("host",),
}
"""The ports of each service, by the names of the fields below."""
IF_FREE = frozenset({"web"})
"""Ports that a service does without where it cannot have them."""


class PortsBusyError(Exception):
    """Ports are in use; the message names each with the flag and the variable that choose another."""


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1.

    `azurite` is that of blobs, `servicebus_admin` that of the queues' counts, `mail` that of the page with the mails
    that smtp received, `web` that of custom domains.
    """

    host: int = 7071
    azurite: int = 10000
    azurite_queue: int = 10001
    azurite_table: int = 10002
    postgres: int = 54320
    servicebus: int = 5672
    servicebus_admin: int = 5300
    cosmos: int = 8081
    apps: int = 8500
    web: int = 80
    supplier: int = 8400
    smtp: int = 1025
    mail: int = 8025

    @classmethod
    def free(cls) -> Ports:
        """Ports that nothing uses now."""
        names = [field.name for field in fields(cls)]
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
        """Add a flag for each port; its default is MANIFOLD_<NAME>_PORT, else the number above."""
        for name, default in asdict(cls()).items():
            variable = _variable(name)
            text = environment.get(variable, str(default))
            if not text.isdecimal():
                parser.error(f"{variable} is {text!r}, and must be a port number.")
            parser.add_argument(_flag(name), type=int, default=int(text), help=f"or {variable} (%(default)s)")

    @classmethod
    def of_flags(cls, options: argparse.Namespace) -> Ports:
        """Read the ports from parsed flags."""
        return cls(**{field.name: getattr(options, f"{field.name}_port") for field in fields(cls)})

    def check(self, services: Iterable[str]) -> None:
        """Make sure that the services' ports are free and differ.

        Raises:
            PortsBusyError: they are not.
        """
        problems: list[str] = []
        taken: dict[int, str] = {}
        for name in (name for service in services for name in OF_SERVICE[service]):
            port = int(getattr(self, name))
            if port in taken:
                problems.append(f"Port {port} is given to both {taken[port]} and {name}. Pass another {_flag(name)}.")
            elif name not in IF_FREE and port_in_use(port):
                remedy = f"Stop what uses it, pass {_flag(name)} or set {_variable(name)}."
                problems.append(f"Port {port} for {name} is in use. {remedy}")
            taken[port] = name
        if problems:
            raise PortsBusyError("\n".join(problems))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}-port"


def _variable(name: str) -> str:
    return f"MANIFOLD_{name.upper()}_PORT"
