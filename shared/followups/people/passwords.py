"""Passwords, as scrypt keeps them: 32 MiB and some 80 ms for each guess."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os

COST, BLOCK, PARALLEL = 2**15, 8, 1
MEMORY = 64 << 20


async def hashed(password: str) -> str:
    """What to store of a new password."""
    salt = os.urandom(16)
    return f"scrypt${COST}${BLOCK}${PARALLEL}${salt.hex()}${(await _derived(password, salt)).hex()}"


async def matches(password: str, stored: str | None) -> bool:
    """Whether it is the stored one. Without one it takes as long, so that nobody learns who has an account."""
    kind, *_, salt, expected = (stored or f"scrypt$$$${'00' * 16}${'00' * 32}").split("$")
    found = await _derived(password, bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(expected)) and kind == "scrypt" and stored is not None


async def _derived(password: str, salt: bytes) -> bytes:
    return await asyncio.to_thread(
        hashlib.scrypt, password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=MEMORY, dklen=32
    )
