"""A DNS server for TXT records, over UDP: a zone is a mapping of names to texts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.exception
import dns.message
import dns.rcode
import dns.rrset

from local.processes import LOOPBACK

CHUNK = 255
TTL = 60


@dataclass
class Dns:
    """What it answers.

    Attributes:
        texts: TXT records by name, without the last dot.
        aliases: names that are another one's.
        broken: it answers SERVFAIL to everything.
        silent: it answers nothing.
        queries: how often there was one for each name.
    """

    texts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    broken: bool = False
    silent: bool = False
    queries: Counter[str] = field(default_factory=Counter[str])

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        """Serve on a free port; its address:port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Protocol(self), (LOOPBACK, 0))
        try:
            yield f"{LOOPBACK}:{transport.get_extra_info('sockname')[1]}"
        finally:
            transport.close()

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to a query; None if there is none."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if self.silent:
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        if self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer.to_wire()
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self.queries[name] += 1
        while alias := self.aliases.get(name):
            answer.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", "CNAME", f"{alias}."))
            name = alias
        if name in self.texts:
            found = [_quoted(text) for text in self.texts[name]]
            answer.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", "TXT", *found))
        elif not any(known.endswith(f".{name}") for known in (*self.texts, *self.aliases)):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire(max_size=65_535)


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: Dns) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


def _quoted(text: str) -> str:
    """A text as a zone file has it: in pieces of at most 255 bytes."""
    pieces = [text[start : start + CHUNK] for start in range(0, max(len(text), 1), CHUNK)]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
