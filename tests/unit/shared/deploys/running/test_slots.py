"""Slots: never more at work than allowed, one of a project at a time, first come first served, none lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.deploys.running.slots import WAITER_ASKS_WITHIN, Slots, decide
from shared.deploys.running.steps import SlotAnswer, SlotRequest

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ask(slots: Slots, wants, who: int, *, projects: int = 99, limit: int = 2, now: datetime = NOW, seconds=3600):
    request = SlotRequest(
        wants=wants,
        deployment_id=f"d{who}",
        project=f"p{who % projects}",
        now=now,
        limit=limit,
        seconds=seconds,
    )
    return decide(slots, request)


@given(
    st.lists(st.tuples(st.sampled_from(["acquire", "release"]), st.integers(0, 11)), max_size=80),
    st.integers(1, 4),
    st.integers(1, 12),
)
def test_never_more_than_the_limit_and_one_of_a_project(requests, limit, projects) -> None:
    slots = Slots()
    for wants, who in requests:
        slots, answer = ask(slots, wants, who, projects=projects, limit=limit)
        assert len(slots.holders) <= limit
        assert len({one.project for one in slots.holders}) == len(slots.holders)
        at_work = {one.deployment_id for one in slots.holders}
        assert answer.granted == (f"d{who}" in at_work if wants == "acquire" else False)
        assert not at_work & {one.deployment_id for one in slots.waiting}


@settings(deadline=None)
@given(st.permutations(range(12)), st.integers(1, 4), st.integers(1, 12))
def test_who_is_told_that_a_slot_is_free_gets_it_and_all_get_one(order, limit, projects) -> None:
    slots, worked, notified = Slots(), [], []
    for who in order:
        slots, answer = ask(slots, "acquire", who, projects=projects, limit=limit)
        if answer.granted:
            notified.append(f"d{who}")
    while notified:
        done = notified.pop(0)
        worked.append(done)
        slots, answer = ask(slots, "release", int(done[1:]), projects=projects, limit=limit)
        for freed in answer.freed:
            if freed in notified:
                continue
            slots, given_ = ask(slots, "acquire", int(freed[1:]), projects=projects, limit=limit)
            assert given_.granted
            notified.append(freed)
    assert sorted(worked) == sorted(f"d{who}" for who in order)
    assert slots.holders == slots.waiting == []


def test_a_repeated_request_changes_nothing() -> None:
    slots, first = ask(Slots(), "acquire", 1)
    again, second = ask(slots, "acquire", 1)
    assert (first.granted, second.granted) == (True, True)
    assert again.holders == slots.holders
    left, _ = ask(slots, "release", 1)
    assert ask(left, "release", 1) == (left, SlotAnswer(granted=False))


def test_first_come_first_served() -> None:
    slots, _ = ask(Slots(), "acquire", 1, limit=1)
    slots, second = ask(slots, "acquire", 2, limit=1)
    slots, third = ask(slots, "acquire", 3, limit=1)
    assert (second.position, third.position) == (1, 2)
    slots, answer = ask(slots, "release", 1, limit=1)
    assert answer.freed == ["d2"]
    slots, answer = ask(slots, "acquire", 3, limit=1)
    assert not answer.granted


def test_a_slot_whose_holder_was_terminated_comes_free() -> None:
    slots, _ = ask(Slots(), "acquire", 1, limit=1, seconds=60)
    slots, early = ask(slots, "acquire", 2, limit=1, now=NOW + timedelta(seconds=59))
    assert not early.granted
    slots, late = ask(slots, "acquire", 2, limit=1, now=NOW + timedelta(seconds=61))
    assert late.granted


def test_who_asks_no_more_loses_the_place_in_the_queue() -> None:
    slots, _ = ask(Slots(), "acquire", 1, limit=1)
    slots, _ = ask(slots, "acquire", 2, limit=1)
    later = NOW + WAITER_ASKS_WITHIN + timedelta(seconds=1)
    slots, answer = ask(slots, "acquire", 3, limit=1, now=later)
    assert answer.position == 1
