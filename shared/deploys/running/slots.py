"""Who may work: at most so many deployments at once, one of a project at a time, first come first served.

Pure functions of the state of the entity `deploy_slots`. A slot is lent for a time only, so that one whose
orchestration was terminated comes free by itself; so does the place in the queue of whoever asks no more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pydantic import ConfigDict, Field

from shared.deploys.running.steps import SlotAnswer, SlotRequest
from shared.platform.models import LazyModel

WAITER_ASKS_WITHIN: Final = timedelta(minutes=3)
"""Whoever waits asks at least this often."""


class Holder(LazyModel):
    """A deployment at work."""

    model_config = ConfigDict(frozen=True)
    deployment_id: str
    project: str
    until: datetime


class Slots(LazyModel):
    """Who works, and who waits in the order in which they came."""

    model_config = ConfigDict(frozen=True)
    limit: int = 1
    holders: list[Holder] = Field(default_factory=list[Holder])
    waiting: list[Holder] = Field(default_factory=list[Holder])


def decide(slots: Slots, request: SlotRequest) -> tuple[Slots, SlotAnswer]:
    """The slots after the request, and its answer. Repeated, a request changes nothing more."""
    holders = [one for one in slots.holders if one.until > request.now]
    waiting = [one for one in slots.waiting if one.until > request.now]
    if request.wants == "release":
        left = Slots(
            limit=slots.limit,
            holders=[one for one in holders if one.deployment_id != request.deployment_id],
            waiting=[one for one in waiting if one.deployment_id != request.deployment_id],
        )
        return left, SlotAnswer(granted=False, freed=[one.deployment_id for one in _next(left)])
    if any(one.deployment_id == request.deployment_id for one in holders):
        return Slots(limit=request.limit, holders=holders, waiting=waiting), SlotAnswer(granted=True)
    waiter = Holder(
        deployment_id=request.deployment_id, project=request.project, until=request.now + WAITER_ASKS_WITHIN
    )
    ids = [one.deployment_id for one in waiting]
    if waiter.deployment_id in ids:
        waiting[ids.index(waiter.deployment_id)] = waiter
    else:
        waiting.append(waiter)
    queued = Slots(limit=request.limit, holders=holders, waiting=waiting)
    if waiter not in _next(queued):
        return queued, SlotAnswer(granted=False, position=waiting.index(waiter) + 1)
    working = waiter.model_copy(update={"until": request.now + timedelta(seconds=request.seconds)})
    waiting.remove(waiter)
    return Slots(limit=request.limit, holders=[*holders, working], waiting=waiting), SlotAnswer(granted=True)


def _next(slots: Slots) -> list[Holder]:
    """Who may work now of those that wait: the first of their project, as many as slots are free."""
    busy = {one.project for one in slots.holders}
    next_ones: list[Holder] = []
    for one in slots.waiting:
        if len(slots.holders) + len(next_ones) >= slots.limit:
            break
        if one.project not in busy:
            busy.add(one.project)
            next_ones.append(one)
    return next_ones
