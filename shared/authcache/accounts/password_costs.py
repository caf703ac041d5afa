"""What the passwords of all users cost to check: unknown addresses are checked at these costs too."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from shared.authcache.reading.instance import Instance
from shared.authcache.store import store
from shared.authcache.tables import USERS
from shared.platform.access.passwords.kinds import Cost, cost_in_effect

FRESH_SECONDS: Final = 60
"""For which a count is used: the costs of all users change slowly."""
MOST_COUNTED: Final = 5000
"""Rows that are looked at one by one; more changes than that are counted by the next fold."""

_counted: WeakKeyDictionary[Instance, tuple[float, Mapping[Cost, int]]] = WeakKeyDictionary()


async def password_costs() -> Mapping[Cost, int]:
    """How many users have a hash of each cost."""
    instance = store().instance
    counted = _counted.get(instance)
    if counted is None or time.monotonic() - counted[0] > FRESH_SECONDS:
        counted = _counted[instance] = time.monotonic(), await _count(instance)
    return counted[1]


async def _count(instance: Instance) -> Mapping[Cost, int]:
    """Those whom the base counts, with what has changed since."""
    holding = instance.holding
    costs = holding.manifest.counts.costs if holding.manifest else {}
    accounts = Counter({Cost.of(text): number for text, number in costs.items()})
    base, changed = holding.base(), list(holding.tail.rows(USERS).items())
    if len(changed) <= MOST_COUNTED:
        for row_id, after in changed:
            if after is not None:
                accounts[cost_in_effect(after.password_hash)] += 1
            before = await base.get(USERS, row_id)
            if before is not None:
                accounts[cost_in_effect(before.password_hash)] -= 1
    return +accounts
