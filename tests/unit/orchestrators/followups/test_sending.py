"""The order of a sweep: settle, then batch after batch until nothing is due."""

from typing import Any

from orchestrators.followups.sending import MOST_BATCHES, SETTLED_EVERY, send_followups
from shared.followups.steps import Attempt, Claim, ClaimBatch, Claims, Composed, Outcome, SweepSummary
from shared.platform.durable import Nothing
from shared.platform.errors import TerminalError

ACCEPTED = Outcome(kind="accepted", provider="smtp")


def fakes(batches: list[list[int]], **changed: Any) -> dict[str, Any]:
    def claim(_: ClaimBatch) -> Claims:
        numbers = batches.pop(0) if batches else []
        return Claims(claims=[Claim(email_id=number, number=1) for number in numbers])

    return {
        "settle_followups": lambda task: task,
        "claim_followups": claim,
        "compose_followup": lambda _: Composed(ready=True),
        "hand_over_followup": lambda claim: Attempt(claim=claim, outcome=ACCEPTED, reason=None, recorded=True),
        "record_followup": lambda _: Nothing(),
        **changed,
    }


def test_batches_are_sent_until_nothing_is_due(player: Any) -> None:
    player.fakes = fakes([[1, 2], [3]])
    assert player.play(send_followups, Nothing()) == SweepSummary(claimed=3, sent=3)
    assert player.calls[0][0] == "settle_followups"
    assert len(player.named("claim_followups")) == 3
    assert [claim.email_id for claim in player.named("hand_over_followup")] == [1, 2, 3]
    assert player.named("record_followup") == []


def test_a_sweep_ends_though_there_is_always_more(player: Any) -> None:
    player.fakes = fakes([[number] for number in range(2 * MOST_BATCHES)])
    assert player.play(send_followups, Nothing()).sent == MOST_BATCHES
    assert len(player.named("settle_followups")) == MOST_BATCHES // SETTLED_EVERY


def test_one_bad_mail_is_not_the_others_trouble(player: Any) -> None:
    def compose(claim: Claim) -> Composed:
        if claim.email_id == 1:
            raise TerminalError("It cannot be written.")
        return Composed(ready=claim.email_id != 2)

    player.fakes = fakes([[1, 2, 3]], compose_followup=compose)
    assert player.play(send_followups, Nothing()) == SweepSummary(claimed=3, sent=1, held_back=2)
    assert [claim.email_id for claim in player.named("hand_over_followup")] == [3]


def test_what_could_not_be_recorded_at_once_is_recorded_by_a_step_of_its_own(player: Any) -> None:
    player.fakes = fakes(
        [[1]],
        hand_over_followup=lambda claim: Attempt(claim=claim, outcome=ACCEPTED, reason=None, recorded=False),
    )
    assert player.play(send_followups, Nothing()).sent == 1
    assert [done.claim.email_id for done in player.named("record_followup")] == [1]
