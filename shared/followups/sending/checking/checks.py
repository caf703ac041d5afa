"""Whether a mail may go out now, as a pure function of what is known at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.followups.people.models import ACTIVE_STAGES
from shared.followups.scheduling.calendar import Calendar, local_instant, next_open

WARM_UP_DAYS = 30
NOT_DUE = "not-due"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a mail, its client and its agent.

    Attributes:
        everything_stopped: the switch that stops all mails is on.
        domain_refused: DNS does not show what mailboxes ask of the sender's domain.
        handed_over_today: other mails of the agent since its midnight that were or may have been handed over.
        address_changed: it may have been handed over before, to an address that the client has no more.
        first_sent: when the agent's first mail was handed over; None if none was.
        warm_up: most mails of the agent's first day, doubled every day; 0: no warm-up.
    """

    now: datetime
    scheduled_for: datetime
    calendar: Calendar
    agent_time_zone: str
    task_status: str
    stage: str
    client_deleted: bool
    client_paused: bool
    address_changed: bool
    unsubscribed: bool
    suppressed: bool
    agent_active: bool
    agent_paused: bool
    everything_stopped: bool
    domain_refused: bool
    needs_approval: bool
    approved: bool
    postal_address: str | None
    public_url: str
    handed_over_today: int
    daily_cap: int
    first_sent: datetime | None
    warm_up: int


@dataclass(frozen=True, slots=True)
class Go:
    """It may go out."""


@dataclass(frozen=True, slots=True)
class Stop:
    """It must never go out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must do something first."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """It goes out when a pause or a stop has ended."""

    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """It may go out at that time."""

    until: datetime
    reason: str


Verdict = Go | Stop | Hold | Wait | Defer


def judge(facts: Facts) -> Verdict:
    """Whether the mail may go out now; of several reasons against it, the most final."""
    final = never(facts)
    if final:
        return Stop(final)
    if waits := _paused(facts):
        return Wait(waits)
    if needed := _needs_person(facts):
        return Hold(needed)
    opening = next_open(facts.now, facts.calendar)
    if opening.at > facts.now:
        return Defer(opening.at, str(opening.reason))
    if facts.handed_over_today >= cap_today(facts):
        zone = ZoneInfo(facts.agent_time_zone)
        tomorrow = facts.now.astimezone(zone).date() + timedelta(days=1)
        return Defer(next_open(local_instant(tomorrow, time(), zone), facts.calendar).at, "daily-cap")
    return Go()


def never(facts: Facts) -> str | None:
    """Why the mail must never go out; None if nothing is final."""
    final = {
        f"task-{facts.task_status}": facts.task_status != "pending",
        "client-deleted": facts.client_deleted,
        "unsubscribed": facts.unsubscribed,
        "suppressed": facts.suppressed,
        "stage": facts.stage not in ACTIVE_STAGES,
    }
    return next((reason for reason, holds in final.items() if holds), None)


def _paused(facts: Facts) -> str | None:
    waiting = {
        "all-stopped": facts.everything_stopped,
        "sender-domain": facts.domain_refused,
        "agent-inactive": not facts.agent_active,
        "agent-paused": facts.agent_paused,
        "client-paused": facts.client_paused,
        NOT_DUE: facts.scheduled_for > facts.now,
    }
    return next((reason for reason, holds in waiting.items() if holds), None)


def _needs_person(facts: Facts) -> str | None:
    if not (facts.postal_address or "").strip():
        return "no-postal-address"
    if not facts.public_url:
        return "no-public-url"
    if facts.address_changed:
        return "address-changed"
    return "approval" if facts.needs_approval and not facts.approved else None


def cap_today(facts: Facts) -> int:
    """Most mails of the agent today: its own cap, and while its name is new to mailboxes, the warm-up's."""
    if not facts.warm_up:
        return facts.daily_cap
    days = (facts.now - facts.first_sent).days if facts.first_sent else 0
    return facts.daily_cap if days >= WARM_UP_DAYS else min(facts.daily_cap, facts.warm_up * 2**days)
