"""The scheduler is red when sweeps or due tasks are old, also while everything else is fine."""

import azure.functions as func
import pytest

from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims
from triggers.followups import upkeep


async def test_it_is_green_after_a_sweep(crm, mails):
    assert (await scheduler_health()).reasons == ["no sweep has ended yet"]
    await claims.anything_due()
    assert (await scheduler_health()).status == "green"


async def test_a_sweep_that_fails_for_ten_minutes_turns_it_red_by_both_ages(crm, monkeypatch):
    await crm.due(await crm.agent(), hours_ago=0.6)
    await crm.execute("update followups.scheduler set swept_at = now() - interval '10 minutes'")

    class Client:
        async def start(self, *_, **__):
            raise RuntimeError("The durable host is away.")

    assert await upkeep.sweep.due(Client())
    with pytest.raises(RuntimeError):
        await upkeep.sweep.run(Client())
    found = await scheduler_health()
    assert (found.status, len(found.reasons)) == ("red", 2)
    [operation] = upkeep.routes.operations
    request = func.HttpRequest(method="GET", url="https://app/health/scheduler", headers={}, body=b"")
    assert (await operation.answer(request)).status_code == 503


async def test_paused_tasks_do_not_count_as_late(crm):
    await crm.due(await crm.agent(), hours_ago=5)
    await crm.execute("update followups.agents set paused_at = now()")
    await claims.anything_due()
    found = await scheduler_health()
    assert (found.status, found.oldest_due_age_seconds) == ("green", None)
