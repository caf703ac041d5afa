"""The order of the feeds' upkeep, with every activity faked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from orchestrators.diamonds.upkeep import PURGE_BOXES, purge_feeds, watch_feeds
from shared.diamonds.runs.models import Purged, PurgeRows, WatchFeeds
from shared.platform.durable import Nothing
from shared.platform.errors import TerminalError

PARTS = ("end_lost_runs", "end_lost_repricings", "recover_claims", "watch_watermarks")


@pytest.mark.parametrize("broken", PARTS)
def test_a_part_that_fails_keeps_no_other_from_being_done_and_fails_the_whole(player, broken):
    def fails(_: Any) -> Nothing:
        raise TerminalError("It is broken.", code="broken")

    player.fakes = {part: fails if part == broken else lambda _: Nothing() for part in PARTS}
    task = WatchFeeds(abandoned=[UUID(int=1)])
    with pytest.raises(TerminalError, match="broken"):
        player.play(watch_feeds, task)
    assert {name for name, _ in player.calls} == set(PARTS)
    assert player.named("end_lost_runs") == [task]


def test_a_purge_goes_on_from_where_the_last_box_stood_until_it_is_finished(player):
    boxes = [Purged(raw=5, after=("nivoda", "s5")), Purged(sightings=2, after=("nivoda", "s9")), Purged(finished=True)]
    answers = iter(boxes)
    player.fakes = {"purge_rows": lambda _: next(answers)}
    player.play(purge_feeds, PurgeRows())
    assert [task.after for task in player.named("purge_rows")] == [None, ("nivoda", "s5"), ("nivoda", "s9")]
    assert [status.get("done") for status in player.statuses][1:] == [5, 7, 7]


def test_what_a_night_does_not_purge_is_left_to_the_next(player):
    player.fakes = {"purge_rows": lambda _: Purged(raw=1)}
    assert player.play(purge_feeds, PurgeRows()) == Nothing()
    assert len(player.named("purge_rows")) == PURGE_BOXES
