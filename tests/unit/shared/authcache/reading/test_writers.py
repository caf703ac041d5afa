"""Whose turn it is, by the groups that were read."""

from shared.authcache.reading.writers import MANY, REMEMBERED_SECONDS, Writers


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def writers(*groups):
    """What was read: who wrote how many records; a tenth of a second lies between two groups."""
    clock = Clock()
    known = Writers(clock)
    for writer, records in groups:
        clock.now += 0.1
        known.wrote(writer, records)
    return known, clock


def test_the_turn_is_of_the_one_whose_last_group_is_oldest():
    known, _ = writers(("a", MANY), ("b", MANY), ("c", MANY), ("a", MANY))
    assert [known.turns_before(one) for one in "abc"] == [2, 0, 1]


def test_who_wrote_little_takes_no_turn_away_but_waits_for_those_who_write_much():
    known, clock = writers(("a", MANY), ("b", MANY), ("c", MANY - 1))
    assert known.turns_before("c") == 2
    known.wrote("a", MANY - 1)
    assert known.turns_before("c") == 1
    assert known.turns_before("b") == 0
    clock.now += REMEMBERED_SECONDS
    assert known.turns_before("c") == 0


def test_who_wrote_nothing_lately_waits_for_nobody():
    known, _ = writers(("a", MANY), ("b", MANY))
    assert known.turns_before("d") == 0


def test_who_was_waited_for_in_vain_is_expected_no_more():
    known, _ = writers(("a", MANY), ("b", MANY), ("c", MANY))
    known.expect_nobody("c")
    assert known.turns_before("c") == 0
    known.wrote("b", MANY)
    assert known.turns_before("c") == 0
