"""What people read when a queue holds dead letters."""

import pytest

from shared.operations.dead_letter_watch import dead_letters_found


@pytest.mark.parametrize(("exact", "words"), [(True, "1,000 dead letters"), (False, "more than 1,000 dead letters")])
def test_dead_letters_tell_how_to_read_and_resubmit_them(exact, words):
    alert = dead_letters_found("deployments", 1_000, exact=exact)
    assert alert.cause == "queue/deployments/dead-letters"
    assert alert.subject == f"[Manifold] deployments: {words}"
    assert "GET /ops/queues/deployments/dead-letters" in alert.text
    assert "POST /ops/queues/deployments/dead-letters/resubmit" in alert.text
