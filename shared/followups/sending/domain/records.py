"""Reads the records of a sender's domain from DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.sending.domain.alignment import MOST_LOOK_UPS, Records, included, spf_of
from shared.platform.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.asyncresolver import Resolver

    from shared.followups.sending.domain.alignment import Sender

ANSWER_SECONDS = 5
MOST_NAMES = 3 * MOST_LOOK_UPS


async def read(sender: Sender, server: str = "") -> Records:
    """The records that the rules look at. `server` is address:port of a DNS server; "" is the system's.

    Raises:
        TransientError: DNS does not answer.
    """
    resolver = _resolver(server)
    names = [*(sender.dkim_name(selector) for selector in sender.selectors), *sender.dmarc_names]
    texts = {name: await _texts(resolver, name) for name in names}
    spf: dict[str, Sequence[str]] = {}
    to_read = [sender.return_path] if sender.return_path else []
    while to_read and len(spf) < MOST_NAMES:
        name = to_read.pop(0)
        if name not in spf:
            spf[name] = await _texts(resolver, name)
            to_read += [domain for record in spf_of(spf[name]) for domain in included(record)]
    return Records(texts, spf)


async def _texts(resolver: Resolver, name: str) -> list[str]:
    """The TXT records of a name, also by a CNAME; none if there are none."""
    from dns.exception import DNSException  # noqa: PLC0415 - loads in the activity that needs it
    from dns.resolver import NXDOMAIN, NoAnswer  # noqa: PLC0415 - as above

    try:
        answer = await resolver.resolve(name, "TXT", search=False)
    except (NXDOMAIN, NoAnswer):
        return []
    except DNSException as error:
        raise TransientError(f"DNS does not tell of {name}: {type(error).__name__}.", code="dns") from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def _resolver(server: str) -> Resolver:
    from dns.asyncresolver import Resolver  # noqa: PLC0415 - as above
    from dns.exception import DNSException  # noqa: PLC0415 - as above

    try:
        resolver = Resolver(configure=not server)
    except DNSException as error:
        raise TransientError("This machine knows no DNS server.", code="dns") from error
    if server:
        address, _, port = server.rpartition(":")
        resolver.nameservers, resolver.port = [address.strip("[]")], int(port)
    resolver.lifetime = ANSWER_SECONDS
    return resolver
