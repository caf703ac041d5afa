"""What a password is checked against when nobody has the address: in the time that a check would take if somebody had.

While old and new kinds of hashes exist side by side, one time for all strangers would tell them from those who have the
other kind. So each address is given a kind, always the same one, and as many get it as have it among the real ones.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from shared.platform.access.passwords.kinds import CURRENT, Cost, never_matching

_SCALE = 2**64


def stand_in(address: str, key: bytes, mix: Mapping[Cost, int]) -> str:
    """A hash that matches nothing, of the cost that this address would have.

    Old costs come first on the scale on which the address has its place: as their share shrinks, since their owners
    sign in, strangers move from the old to the new as those do, and never back.

    Args:
        address: its key, as the accounts are found by.
        key: a secret of the app, without which nobody can tell an address's place.
        mix: how many accounts have each cost.
    """
    place = int.from_bytes(hmac.digest(key, address.encode(), hashlib.sha256)[:8])
    everybody = sum(mix.values())
    passed = 0
    for cost in sorted(mix, key=lambda cost: (cost == CURRENT, cost)):
        passed += mix[cost]
        if place * everybody < passed * _SCALE:
            return never_matching(cost)
    return never_matching(CURRENT)
