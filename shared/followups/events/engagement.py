"""Who opened and clicked: a person, or a machine that looks at every mail. A pure function of a mail's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TOO_SOON = timedelta(seconds=10)
"""Nobody reads so soon after the hand-over: what fetches everything then is a scanner or a proxy."""
TOGETHER = timedelta(seconds=60)
"""Clicks of different systems within this time are those of scanners that pass a mail on to each other."""


@dataclass(frozen=True, slots=True)
class Look:
    """An open or a click."""

    kind: Literal["opened", "clicked"]
    at: datetime
    user_agent: str
    ip: str

    @property
    def system(self) -> tuple[str, str]:
        """What tells machines that look at mails apart."""
        return self.user_agent, self.ip


@dataclass(frozen=True, slots=True)
class Engagement:
    """What people did, as far as can be told, and how often machines did the same."""

    level: Literal["none", "opened", "clicked"]
    opened_at: datetime | None
    clicked_at: datetime | None
    machine_opens: int
    machine_clicks: int


def engagement(looks: Sequence[Look], sent_at: datetime) -> Engagement:
    """What all opens and clicks of a mail come to, in whatever order they came."""
    opens = [look for look in looks if look.kind == "opened"]
    clicks = [look for look in looks if look.kind == "clicked"]
    people_opened = [look.at for look in opens if not _too_soon(look, sent_at)]
    people_clicked = [look.at for look in clicks if not _too_soon(look, sent_at) and not _passed_on(look, clicks)]
    # Who clicks has opened, also where images are blocked.
    level = "clicked" if people_clicked else "opened" if people_opened else "none"
    return Engagement(
        level=level,
        opened_at=min(people_opened + people_clicked, default=None),
        clicked_at=min(people_clicked, default=None),
        machine_opens=len(opens) - len(people_opened),
        machine_clicks=len(clicks) - len(people_clicked),
    )


def _too_soon(look: Look, sent_at: datetime) -> bool:
    return look.at - sent_at < TOO_SOON


def _passed_on(look: Look, clicks: Sequence[Look]) -> bool:
    return any(other.system != look.system and abs(other.at - look.at) <= TOGETHER for other in clicks)
