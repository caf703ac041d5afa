"""The authorities whose certificates we trust, read once a process: most clients would take 20 ms each for it."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def authorities(protocol: str = "https") -> ssl.SSLContext:
    """What a server's certificate is checked with: the authorities of the file that SSL_CERT_FILE names, or certifi's.

    Clients of different protocols have different ones, since each names its protocol in it.
    """
    import certifi  # noqa: PLC0415 - loads in the activity that needs it

    return _read(os.environ.get("SSL_CERT_FILE") or certifi.where(), protocol)


@lru_cache(maxsize=4)
def _read(file: str, _protocol: str) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415 - loads in the activity that needs it

    return ssl.create_default_context(cafile=file)
