"""Who decides what becomes of a run: pure rules over what its rows say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.diamonds.runs.changes import RunDifference
from shared.diamonds.runs.models import PRICES_END, PartitionProgress, PartitionStatus, Verdict

if TYPE_CHECKING:
    from shared.diamonds.settings import DiamondSettings


def judge(partitions: Sequence[PartitionProgress], partial_share: float, wait_seconds: int) -> Verdict:
    """May the run be consolidated, now that reading has ended?

    At once when every partition was read to its end; after `wait_seconds`, in which the others can be retried, when at
    least `partial_share` of them were; else, or without partitions, only if a person forces it.
    """
    total = len(partitions)
    unread = sum(one.status is not PartitionStatus.COMPLETED for one in partitions)
    enough = total and total - unread >= partial_share * total
    decision = "hold" if not enough else "wait" if unread else "go"
    return Verdict(
        decision=decision,
        wait_seconds=wait_seconds if decision == "wait" else 0,
        unread=unread,
        partitions=total,
        complete=total > 0 and not unread,
        capped=total > 0 and partitions[-1].prices.maximum < PRICES_END,
    )


LEAST = 10
"""Fewer odd diamonds than this hold no run, whatever their share."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares from 0 to 1 over which a run is held; see the settings of the same names."""

    failed: float
    jumped: float
    deleted: float

    @classmethod
    def of(cls, config: DiamondSettings) -> Limits:
        """Those that the settings say."""
        return cls(config.failed_share_limit, config.price_jump_share_limit, config.delete_share_limit)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a run must not change anything before a person has looked."""

    code: str
    text: str


def objections(difference: RunDifference, limits: Limits) -> list[Objection]:
    """What speaks against letting the run change what it would; nothing: it may go on."""
    d = difference
    compared = d.dearer + d.cheaper + d.unchanged
    shares = [
        ("rows-failed", d.failed, d.rows, limits.failed, "rows cannot be priced"),
        ("prices-contradict", d.contradicting, d.rows, limits.failed, "prices lie outside the range of their query"),
        ("words-lost", d.lost, compared, limits.failed, "diamonds lose their availability, origin or certificate"),
        ("diamonds-return", d.back_on_sale, d.offered, limits.failed, "diamonds that were sold or held are free again"),
        ("rows-withheld", d.waiting, d.listed, limits.failed, "listed diamonds wait for a held run or were discarded"),
        ("prices-jumped", d.jumped, compared, limits.jumped, "prices at least double or halve"),
        ("diamonds-vanished", d.gone or 0, d.offered, limits.deleted, "diamonds are not offered any more"),
    ]
    return [
        Objection(code, f"{odd:,} of {whole:,} {what} ({odd / whole:.0%}), over the limit of {limit:.0%}")
        for code, odd, whole, limit, what in shares
        if odd >= LEAST and odd > limit * whole
    ]
