"""The order of a re-pricing, with every activity faked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from orchestrators.diamonds.repricing import reprice_diamonds
from shared.diamonds.pricing.models import RepriceFeed, Repricing
from shared.platform.errors import Conflict, TerminalError

REQUEST = RepriceFeed(repricing_id=UUID(int=7))


def at(looked_at: int, status: str = "running", **more: Any) -> Repricing:
    return Repricing.model_validate(
        {
            "repricing_id": REQUEST.repricing_id,
            "feed": "nivoda",
            "status": status,
            "rules_version": 3,
            "restarts": 0,
            "total": 30,
            "looked_at": looked_at,
            "changed": looked_at // 2,
            "value_change": 1.5,
            "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        | more
    )


def test_it_works_in_time_boxes_until_it_is_completed_and_shows_how_far_it_is(player):
    boxes = [at(10), at(0, restarts=1), at(20, restarts=1), at(30, "completed", restarts=1)]
    answers = iter(boxes)
    player.fakes = {"begin_repricing": lambda _: at(0), "reprice_batches": lambda _: next(answers)}
    assert player.play(reprice_diamonds, REQUEST) == boxes[-1]
    assert [name for name, _ in player.calls] == ["begin_repricing", *["reprice_batches"] * 4]
    assert [(one["done"], one["restarts"]) for one in player.statuses if one["phase"] == "re-pricing"] == [
        (0, 0), (10, 0), (0, 1), (20, 1), (30, 1),
    ]  # fmt: skip


def test_why_it_failed_is_written_down(player):
    def superseded(_: Any) -> Repricing:
        raise Conflict("Re-pricing is superseded.", code="repricing-ended")

    player.fakes = {
        "begin_repricing": lambda _: at(0),
        "reprice_batches": superseded,
        "give_up_repricing": lambda _: at(0, "failed"),
    }
    with pytest.raises(TerminalError, match="superseded"):
        player.play(reprice_diamonds, REQUEST)
    [end] = player.named("give_up_repricing")
    assert end.error == "Re-pricing is superseded. (repricing-ended)"
