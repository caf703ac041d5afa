"""Decoys: what a password is checked against when no account has the address, in the time that a check would take.

While old and new kinds of hashes exist side by side, one time for all unknown addresses would tell them from accounts
with the other kind. So each address has a kind, always the same one, and the kinds are as frequent as among accounts.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from shared.platform.access.passwords.kinds import CURRENT, Cost, never_matching

DECOYS = "strangers"
"""The use for which the key is derived. It stays: with another key, addresses without an account would change kind."""
_SCALE = 2**64


def decoy_hash(address: str, key: bytes, costs: Mapping[Cost, int]) -> str:
    """A hash that matches nothing, of the cost that this address would have.

    Old costs come first on the scale on which the address has its place: as their share shrinks, since their owners
    sign in, unknown addresses move from the old to the new as those do, and never back.

    Args:
        address: its key, as the accounts are found by.
        key: a secret of the app, without which nobody can tell an address's place.
        costs: how many accounts have each cost.
    """
    place = int.from_bytes(hmac.digest(key, address.encode(), hashlib.sha256)[:8])
    accounts = sum(costs.values())
    passed = 0
    for cost in sorted(costs, key=lambda cost: (cost == CURRENT, cost)):
        passed += costs[cost]
        if place * accounts < passed * _SCALE:
            return never_matching(cost)
    return never_matching(CURRENT)
