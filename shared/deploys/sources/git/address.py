"""Which git addresses are taken: https to a public host, or to one of those that GIT_HOSTS names."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from shared.deploys.settings import settings
from shared.platform.errors import InvalidInput, TerminalError, TransientError

_AZURE_INSIDE = ipaddress.IPv4Address("168.63.129.16")
"""Where each machine in Azure reaches its own host, though the address looks public."""
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""What is given out of IPv6. Outside it lie the ways to write an IPv4 address, which may be any, as one of IPv6."""
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~+-]|%[0-9A-Fa-f]{2})+")
_USUAL_REMEDY = "Give an https address without credentials; a private repository's token is gitToken."
_PATH_REMEDY = "Give the address by which git clones it; other characters than letters, digits, . _ ~ + - as %20."


def allowed_hosts() -> list[str]:
    """Those that GIT_HOSTS names; none: any public one."""
    return [host for host in settings().git_hosts.split(",") if host]


def check_url(url: str, hosts: Sequence[str] = ()) -> None:
    """Refuse an address that is not plain https to a public host name, or not to one of `hosts` if there are any.

    Raises:
        InvalidInput: with the reason; credentials in the address are not repeated in it.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        raise _no_url("it is no address") from None
    if parts.scheme != "https":
        raise _no_url("only https is taken")
    if parts.username is not None or parts.password is not None:
        raise _no_url("it must not hold credentials")
    if parts.query or parts.fragment:
        raise _no_url("it must not have a query or a fragment")
    if not all(map(_is_segment, parts.path.removesuffix("/").split("/")[1:] or [""])):
        raise _no_url("its path is no repository's", remedy=_PATH_REMEDY)
    if not host.isascii():
        raise _no_url("write the host's name in ASCII, as xn--mller-kva.example")
    if hosts:
        if host not in {allowed.lower() for allowed in hosts}:
            raise _no_url(f"the host {host!r} is not one of {', '.join(hosts)}")
        return
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        raise _no_url("it must name the host, not its address")
    if "." not in host or host.endswith((".local", ".internal", ".localhost")):
        raise _no_url(f"{host!r} is no public host")


async def public_addresses(url: str) -> list[str]:
    """The addresses of the URL's host. Whoever connects to them and to nothing else is led into no network inside.

    Raises:
        InvalidInput: the name stands for an address that is not public.
        TerminalError: there is no such host (`git-host-unknown`).
        TransientError: it cannot be looked up now.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        addresses = await _addresses(host, port)
    except OSError as error:  # the codes of getaddrinfo are negative, so they are no other errors' numbers
        if error.errno == socket.EAI_NONAME:
            raise TerminalError(
                f"There is no host {host}.", code="git-host-unknown", remedy="See that the address is right."
            ) from None
        raise TransientError(
            f"The host {host} could not be looked up: {error.strerror}.",
            code="git-host-unavailable",
            remedy="Try again later.",
        ) from None
    if not all(map(_is_public, addresses)):
        raise _no_url(f"{host!r} is no public host")
    return addresses


def _is_public(written: str) -> bool:
    address = ipaddress.ip_address(written)
    if isinstance(address, ipaddress.IPv6Address):
        return address.is_global and address in _UNICAST and address.sixtofour is None
    return address.is_global and not address.is_multicast and address != _AZURE_INSIDE


async def _addresses(host: str, port: int) -> list[str]:
    resolved = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in resolved))


def _is_segment(written: str) -> bool:
    """Whether a part of a path may be a name: percent-encoded it is a name as well, as `My%20Project`."""
    name = unquote(written)
    return (
        _SEGMENT.fullmatch(written) is not None
        and not name.startswith((".", "-"))
        and not any(one in "/\\\ufffd" or not one.isprintable() for one in name)
    )


def _no_url(reason: str, *, remedy: str = _USUAL_REMEDY) -> InvalidInput:
    return InvalidInput(
        f"The git URL was refused: {reason}.",
        field="gitUrl",
        code="git-url-refused",
        remedy=remedy,
    )
