"""Whose turn it is, by the groups that were read."""

from shared.authcache.reading.writers import MANY, ROUND_SECONDS, Writers


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def writers(*groups):
    """What was read: who wrote how many records, and for how long they go on; a second lies between two groups."""
    clock = Clock()
    known = Writers(clock)
    for writer, records, hold in groups:
        clock.now += 1
        known.wrote(writer, records, hold)
    return known, clock


def test_who_goes_on_is_waited_for_until_then_and_by_itself_not():
    known, clock = writers(("a", MANY, 0), ("b", MANY, 2.0))
    assert known.wait_of("a") == 2.0
    assert known.wait_of("b") is None
    clock.now += 1.5
    assert known.wait_of("a") == 0.5


def test_the_turn_is_of_the_one_whose_last_group_is_oldest():
    known, _ = writers(("a", MANY, 0), ("b", MANY, 0), ("c", MANY, 0), ("a", MANY, 0))
    assert [known.wait_of(one) for one in "abc"] == [0.0, None, 0.0]
    assert known.others("a") == 2


def test_who_wrote_little_or_nothing_lately_waits_for_nobody_and_takes_no_turn_away():
    known, clock = writers(("b", MANY, 3.0), ("c", MANY - 1, 0))
    assert known.wait_of("a") is known.wait_of("c") is None
    assert known.others("a") == 1
    clock.now += 3 * ROUND_SECONDS
    assert known.wait_of("b") is None
    assert known.others("a") == 0


def test_nobody_holds_on_for_longer_than_all_turns_take():
    known, _ = writers(("a", MANY, 0), ("b", MANY, 1e9))
    assert known.wait_of("a") == ROUND_SECONDS


def test_who_was_waited_for_in_vain_is_expected_no_more():
    known, _ = writers(("a", MANY, 0), ("b", MANY, 0), ("a", MANY, 0), ("c", MANY, 2.0))
    known.expect_nobody("a")
    assert known.wait_of("a") is None
    assert known.others("a") == 1
