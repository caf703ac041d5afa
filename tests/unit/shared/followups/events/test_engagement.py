"""What machines open and click is not what people do, in whatever order it is told."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from shared.followups.events.engagement import Look, engagement

SENT = datetime(2026, 11, 30, 9, tzinfo=UTC)


def look(kind, seconds, system="a"):
    return Look(kind, SENT + timedelta(seconds=seconds), system, "10.0.0.1")


def test_a_pixel_fetched_one_second_after_the_hand_over_is_a_machines():
    found = engagement([look("opened", 1)], SENT)
    assert (found.level, found.machine_opens) == ("none", 1)


def test_two_clicks_twelve_seconds_apart_from_two_systems_are_machines():
    found = engagement([look("clicked", 300), look("clicked", 312, "b")], SENT)
    assert (found.level, found.machine_clicks) == ("none", 2)


def test_a_click_of_one_system_is_a_persons_who_has_opened_too():
    found = engagement([look("clicked", 300), look("clicked", 312), look("opened", 1)], SENT)
    assert (found.level, found.clicked_at, found.machine_opens) == ("clicked", SENT + timedelta(seconds=300), 1)
    assert found.opened_at == found.clicked_at


@given(
    st.lists(
        st.builds(look, st.sampled_from(["opened", "clicked"]), st.integers(0, 200), st.sampled_from("ab")), max_size=4
    )
)
def test_the_order_of_the_events_does_not_matter(looks):
    assert len({engagement(order, SENT) for order in permutations(looks)}) == 1
