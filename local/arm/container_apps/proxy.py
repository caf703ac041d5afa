"""Deployed apps under their own https addresses: a proxy that leads the stand-in's domain to this machine.

A program whose HTTPS_PROXY names the proxy and whose SSL_CERT_FILE trusts the authority opens
`https://shop.apps.example.test` as it would open an app in Azure.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import trustme

from local.arm.cloud import DOMAIN
from local.processes import LOOPBACK

AUTHORITY, CERTIFICATE = "authority.pem", "certificate.pem"


def certify(folder: Path) -> tuple[Path, Path]:
    """Write an authority and a certificate with its key for every app of the domain; the two files."""
    authority, certificate = folder / AUTHORITY, folder / CERTIFICATE
    made = trustme.CA()
    made.cert_pem.write_to_path(str(authority))
    made.issue_cert(f"*.{DOMAIN}").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    return authority, certificate


async def start(apps_port: int) -> asyncio.Server:
    """Take CONNECT requests for hosts of the domain and lead them to the port that serves the apps over TLS."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode(errors="replace")
            method, _, rest = line.partition(" ")
            if method != "CONNECT" or not rest.split(":")[0].endswith(f".{DOMAIN}"):
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            else:
                behind, to_behind = await asyncio.open_connection(LOOPBACK, apps_port)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_copy(reader, to_behind), _copy(behind, writer))
        writer.close()

    return await asyncio.start_server(connected, LOOPBACK, 0)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    target.close()
