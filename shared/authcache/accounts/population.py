"""What the passwords of all users cost to check: what strangers are checked in the time of."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from shared.authcache.reading.levels import Overlay
from shared.authcache.reading.view import View
from shared.authcache.store import Store, store
from shared.authcache.tables import USERS
from shared.platform.access.passwords.kinds import CURRENT, Cost, cost_of
from shared.platform.errors import InvalidInput

FRESH_SECONDS: Final = 60
"""For which a count is used: the mix of a population changes slowly."""

_counted: WeakKeyDictionary[Store, tuple[float, Mapping[Cost, int]]] = WeakKeyDictionary()


def mix(view: View) -> Mapping[Cost, int]:
    """How many users have a hash of each cost."""
    known = _counted.get(store())
    if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
        known = _counted[store()] = time.monotonic(), _count(view)
    return known[1]


def _count(view: View) -> Mapping[Cost, int]:
    found: Counter[Cost] = Counter()
    for level in view.levels:
        if isinstance(level, Overlay):
            found.update(effective_cost(user.password_hash) for user in level.rows(USERS).values() if user)
    return found


def effective_cost(stored: str) -> Cost:
    """What a check against this takes: one that cannot be used, or that is missing, is checked like a current one."""
    try:
        return cost_of(stored)
    except InvalidInput:
        return CURRENT
