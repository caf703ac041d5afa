"""Checks a history of registrations and deletions of addresses, and of reads that may be old, against the promises.

Each operation has when it was called and when it was answered, by one clock. Of each address, the writes and the
reads that brought the newest LSN must fit into one order, in which each has its effect between the two; what was not
answered may have had its effect at any time after it was called, or never. Addresses have nothing to do with each
other, so each is checked by itself (Wing and Gong, with Lowe's memory of what was tried).
"""

from collections import defaultdict
from dataclasses import dataclass
from math import inf
from typing import Literal

State = str | None
"""The id of the user who has the address; None: it is free."""


@dataclass(frozen=True)
class Operation:
    """What somebody did.

    Attributes:
        outcome: for "take": "done", "taken" or "unknown"; for "free": "done" or "unknown"; for reads: the id, or None.
        value: the id that a "take" gives the address.
        stale: of a read that brought no LSN, the seconds that its answer may be old; None: it brought the newest.
    """

    address: str
    kind: Literal["take", "free", "read"]
    called: float
    answered: float
    outcome: str | None
    value: str = ""
    stale: float | None = None


def after(state: State, operation: Operation) -> tuple[bool, State]:
    """Whether the outcome is possible in that state, and the state that follows."""
    if operation.kind == "read":
        return operation.outcome == state, state
    if operation.kind == "free":
        return True, None
    if operation.outcome == "taken":
        return state is not None, state
    return state is None, operation.value


def violations(history: list[Operation]) -> list[str]:
    """The addresses whose operations fit into no order, and the reads that were older than promised."""
    by_address: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        by_address[operation.address].append(operation)
    found: list[str] = []
    for address, operations in by_address.items():
        strict = [one for one in operations if one.stale is None]
        if not linearisable(strict):
            found.append(f"{address}: no order explains {strict}")
        found += [
            f"{address}: too old: {one}" for one in operations if one.stale is not None and not fresh(one, strict)
        ]
    return found


def linearisable(operations: list[Operation]) -> bool:
    """Whether some order explains all outcomes."""
    operations = sorted(operations, key=lambda one: one.called)
    ends = [inf if one.outcome == "unknown" else one.answered for one in operations]
    everything = (1 << len(operations)) - 1
    needed = sum(1 << place for place, one in enumerate(operations) if one.outcome != "unknown")
    tried: set[tuple[int, State]] = set()
    waiting: list[tuple[int, State]] = [(0, None)]
    while waiting:
        done, state = waiting.pop()
        if done & needed == needed or done == everything:
            return True
        if (done, state) in tried:
            continue
        tried.add((done, state))
        earliest_end = min(end for place, end in enumerate(ends) if not done >> place & 1)
        for place, one in enumerate(operations):
            if done >> place & 1:
                continue
            if one.called > earliest_end:
                break  # something ended before this, and all that follow, was called
            possible, following = after(state, one)
            if possible:
                waiting.append((done | 1 << place, following))
    return False


def fresh(read: Operation, writes: list[Operation]) -> bool:
    """Whether what was read may have been so at some time from `stale` seconds before the call on.

    A value was surely over when a write that ended it began after it was read by everybody: what stands here is
    weaker, and never accuses wrongly: some write must have made the value, and none that was over before the
    window opened may have replaced it.
    """
    opened = read.called - (read.stale or 0)
    changes = [one for one in writes if one.kind != "read" and one.outcome != "taken"]
    makers = [one for one in changes if made(one) == read.outcome and one.called <= read.answered]
    if read.outcome is None and not any(one.outcome == "done" and one.answered < opened for one in changes):
        return True  # nobody had surely taken it by then
    return any(
        not any(
            other.outcome == "done" and made(other) != read.outcome
            and other.called > (inf if maker.outcome == "unknown" else maker.answered) and other.answered < opened
            for other in changes
        )
        for maker in makers
    )  # fmt: skip


def made(operation: Operation) -> State:
    """The state that a write leaves."""
    return operation.value if operation.kind == "take" else None
