"""Whatever befalls the workers and the provider, each task is handed over at most once, and none is lost.

The app's own steps run on a real database. Workers die at every point between two commits, are late, and deliver a step
twice; the provider accepts, refuses, throttles, times out, loses its answers, tells what happened in any order and more
than once, and knows afterwards or not; clients and agents change their minds; the clock is set forth and back.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from itertools import cycle
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from activities.followups import sending as steps
from shared.followups.events import inbox
from shared.followups.events.models import ProviderEvent
from shared.followups.people import agents, clients
from shared.followups.sending import claims, outbox
from shared.followups.steps import ClaimBatch, Outcome
from shared.platform.durable import Nothing
from shared.platform.stores.postgres import close_pools

FAULTS = [
    "none", "none", "none", "dies before writing", "dies before sending", "dies while sending",
    "dies before recording", "answer lost", "timed out", "refused", "throttled", "delivered twice", "delivered at once",
]  # fmt: skip

KINDS = ["sent", "deferred", "delivered", "bounced", "complained", "opened", "clicked"]
GRAVITY = {"deferred": 1, "delivered": 2, "bounced": 3, "complained": 4}
NUMBER = st.integers(0, 59)


def pick(among, number):
    return among[number % len(among)]


class Provider:
    """Counts what it was handed over, by mail; answers as it is told."""

    name = "fake"

    def __init__(self):
        self.handed_over, self.answer, self.remembers, self.keyed = Counter(), "accepted", False, False

    async def send(self, mail):
        if self.answer in ("accepted", "answer lost") and not (self.keyed and self.handed_over[mail.email_id]):
            self.handed_over[mail.email_id] += 1
        kinds = {"answer lost": "unknown", "timed out": "unknown", "throttled": "postponed"}
        kind = kinds.get(self.answer, self.answer)
        return Outcome(kind=kind, provider=self.name, code=None if kind == "accepted" else "x", text=None)

    def may_repeat(self, mail):
        return self.keyed

    async def find_out(self, mail):
        """As one that remembers the mails it took, or as a relay, of which nothing can be asked."""
        if not self.remembers:
            return None
        kind = "accepted" if self.handed_over[mail.email_id] else "refused"
        return Outcome(kind=kind, provider=self.name, code=None if kind == "accepted" else "x")


def machine(runner, crm, provider):  # noqa: C901 - one class; its rules need what the test was given
    class Sending(RuleBasedStateMachine):
        @initialize(number=st.integers(2, 5))
        def start(self, number):
            runner.run(self.clean(number))
            self.old_claims, self.unrecorded, self.told = [], [], []

        async def clean(self, number):
            await crm.execute(
                "truncate followups.emails, followups.tasks, followups.clients, followups.agents,"
                " followups.suppressions, followups.provider_events restart identity cascade"
            )
            await crm.execute(
                "insert into followups.cadence_steps (followup_type, days, priority) values ('Day 1', 1, 'high')"
                " on conflict do nothing"
            )
            provider.handed_over.clear()
            provider.remembers = provider.keyed = False
            self.agent = await crm.agent()
            self.clients = await crm.due(self.agent, number)

        # What is drawn does not depend on what the database holds: steps that run at once end in any order.
        @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=5, max_size=5))
        def sweep(self, faults):
            runner.run(self.do_sweep(cycle(faults)))

        async def do_sweep(self, faults):
            await steps.settle_followups(Nothing())
            for claim in (await steps.claim_followups(ClaimBatch())).claims:
                self.old_claims.append(claim)
                await self.work(claim, next(faults))

        async def work(self, claim, fault):
            if fault == "dies before writing":
                return
            await steps.compose_followup(claim)
            if fault == "dies before sending":
                return
            answers = ("answer lost", "timed out", "refused", "throttled")
            provider.answer = fault if fault in answers else "accepted"
            if fault.startswith("dies"):
                mail = await outbox.begin(claim, provider.name)
                if fault == "dies before recording" and not isinstance(mail, str):
                    self.unrecorded.append((claim, await provider.send(mail)))
            elif fault == "delivered at once":
                await asyncio.gather(*(steps.hand_over_followup(claim) for _ in range(2)))
            else:
                for _ in range(1 + (fault == "delivered twice")):
                    await steps.hand_over_followup(claim)

        @rule(number=NUMBER, records=st.booleans())
        def a_worker_is_late(self, number, records):
            """It goes on where it was, long after others have taken its work."""
            provider.answer = "accepted"
            if self.old_claims:
                claim = pick(self.old_claims, number)
                runner.run(steps.compose_followup(claim))
                runner.run(steps.hand_over_followup(claim))
            if self.unrecorded and records:
                runner.run(outbox.record(*self.unrecorded.pop(0)))

        @rule(minutes=st.sampled_from([1, outbox.SENDING_MINUTES, claims.LEASE_MINUTES, 26 * 60]))
        def time_passes(self, minutes):
            runner.run(crm.pass_time(minutes))

        @rule(minutes=st.sampled_from([1, 60, 26 * 60]))
        def the_clock_is_set_back(self, minutes):
            runner.run(crm.pass_time(-minutes))

        @rule(remembers=st.booleans(), keyed=st.booleans())
        def the_provider_can_be_asked_or_not(self, remembers, keyed):
            """It remembers the mails it took, takes each key once, both or neither."""
            provider.remembers, provider.keyed = remembers, keyed

        @rule(number=NUMBER, kind=st.sampled_from(KINDS), again=st.booleans())
        def the_provider_tells(self, number, kind, again):
            """Of a mail that it has, in any order; what it told before it may tell again."""
            if self.told and again:
                assert not runner.run(inbox.take(pick(self.told, number)))
            elif provider.handed_over:
                runner.run(self.tell(pick(sorted(provider.handed_over), number), kind))

        async def tell(self, mail, kind):
            event = ProviderEvent(
                provider="fake", event_id=str(uuid4()), email_id=mail, kind=kind, happened_at=datetime.now(UTC)
            )
            self.told.append(event)
            assert await inbox.take(event)
            [found] = await crm.fetch("select state, delivery from followups.emails where id = %s", mail)
            gravest = max((one.kind for one in self.told if one.email_id == mail), key=lambda one: GRAVITY.get(one, 0))
            assert found == {"state": "sent", "delivery": gravest if gravest in GRAVITY else "none"}

        @rule()
        def two_sweeps_at_once(self):
            provider.answer = "accepted"

            async def both():
                await asyncio.gather(crm.sweep(), crm.sweep())

            runner.run(both())

        @rule(number=NUMBER, paused=st.booleans(), leaves=st.integers(0, 5))
        def somebody_changes_their_mind(self, number, paused, leaves):
            runner.run(agents.pause(self.agent.id, paused=paused))
            if leaves == 0:
                client = pick(self.clients, number)
                runner.run(
                    crm.execute("update followups.clients set email_unsubscribed = true where id = %s", client.id)
                )

        @rule(number=NUMBER)
        def another_task(self, number):
            runner.run(crm.task(pick(self.clients, number)))

        @rule(number=NUMBER, deleted=st.integers(0, 3))
        def a_client_is_deleted(self, number, deleted):
            if len(self.clients) > 1 and deleted == 0:
                client = self.clients.pop(number % len(self.clients))
                runner.run(clients.delete(self.agent.id, [client.id]))

        @invariant()
        def nothing_is_handed_over_twice(self):
            assert all(count == 1 for count in provider.handed_over.values()), provider.handed_over

        def teardown(self):
            runner.run(self.come_to_rest())

        async def come_to_rest(self):
            """Everything works again; after some time all has been sent, has an end, or is shown as unknown."""
            await agents.pause(self.agent.id, paused=False)
            provider.answer = "accepted"
            for _ in range(12):
                await crm.pass_time(26 * 60)
                await crm.execute("update followups.tasks set scheduled_for = now() where status = 'pending'")
                await crm.sweep()
            assert not await claims.anything_due()
            rows = await crm.fetch(
                "select t.id as task, t.status, e.id, e.state from followups.tasks t"
                " left join followups.emails e on e.task_id = t.id"
            )
            for row in rows:
                handed_over = provider.handed_over[row["id"]]
                match row["state"]:
                    case "sent":
                        assert (row["status"], handed_over) == ("completed", 1), row
                    case "unknown":
                        assert handed_over in (0, 1), row
                    case _:
                        assert row["status"] in ("skipped", "cancelled"), row
                        assert handed_over == 0, row
            # What the provider tells later settles what nobody knew.
            for row in rows:
                if row["state"] == "unknown":
                    kind = "accepted" if provider.handed_over[row["id"]] else "refused"
                    assert await outbox.resolve(row["id"], Outcome(kind=kind, provider="fake"))
            left = await crm.fetch("select count(*) as n from followups.tasks where status = 'pending'")
            assert left == [{"n": 0}]

    return Sending


def test_each_task_is_handed_over_at_most_once_and_none_is_lost(crm, monkeypatch):
    provider = Provider()

    async def no_alert(_):
        pass

    monkeypatch.setattr(steps, "sender", lambda: provider)
    monkeypatch.setattr(steps.alerts, "tell_unknown", no_alert)
    with asyncio.Runner() as runner:
        try:
            run_state_machine_as_test(
                machine(runner, crm, provider),
                settings=settings(
                    max_examples=20,
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                ),
            )
        finally:
            runner.run(close_pools())
