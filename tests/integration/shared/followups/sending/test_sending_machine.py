"""Whatever befalls the workers and the provider, each task is handed over at most once, and none is dropped.

The app's own steps run on a real database. Workers die at every point between two commits, are late, and deliver a step
twice; the provider accepts, refuses, throttles, times out, loses its answers, tells what happened in any order and more
than once, and knows afterwards or not; clients and agents change their minds; the clock is set forth and back. When all
has come to rest, each mail is where it must be: sent, failed, held, unknown and shown, or kept from who wants none.
"""

import asyncio
from datetime import UTC, datetime
from itertools import cycle
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from activities.followups import sending as steps
from shared.followups.events import inbox
from shared.followups.events.models import ProviderEvent
from shared.followups.people import agents, clients
from shared.followups.people.models import AgentProfile
from shared.followups.sending import claims, editing, outbox, unknown
from shared.followups.sending.checking import brakes
from shared.followups.steps import ClaimBatch
from shared.platform.durable import Nothing
from shared.platform.stores.postgres import close_pools
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.sending.expected import GRAVITY, Expected, Provider

FAULTS = [
    "none", "none", "none", "dies before writing", "dies before sending", "dies while sending",
    "dies before recording", "answer lost", "timed out", "refused", "throttled", "delivered twice", "delivered at once",
    "paused meanwhile",
]  # fmt: skip

KINDS = ["sent", "deferred", "delivered", "bounced", "complained", "opened", "clicked"]
NUMBER = st.integers(0, 59)
MAILS = """
select t.id as task, t.status, t.reason, e.id, e.state, c.email as address from followups.tasks t
    join followups.clients c on c.id = t.client_id left join followups.emails e on e.task_id = t.id order by t.id
"""


def pick(among, number):
    return among[number % len(among)]


def machine(runner, crm, provider):  # noqa: C901 - one class; its rules need what the test was given
    class Sending(RuleBasedStateMachine):
        @initialize(number=st.integers(2, 5))
        def start(self, number):
            self.expected = provider.expected = Expected()
            self.old_claims, self.unrecorded, self.told = [], [], []
            runner.run(self.clean(number))

        async def clean(self, number):
            await crm.execute(
                "truncate followups.emails, followups.tasks, followups.clients, followups.agents,"
                " followups.suppressions, followups.provider_events restart identity cascade"
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
                    provider.nobody_hears = True
                    self.unrecorded.append((claim, await provider.send(mail)))
                    provider.nobody_hears = False
            elif fault == "paused meanwhile":
                await self.pause(paused=True)
                await steps.hand_over_followup(claim)
                await self.pause(paused=False)
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
                claim, outcome = self.unrecorded.pop(0)
                runner.run(outbox.record(claim, outcome))
                self.expected.answered(claim.email_id, outcome.kind, repeated=True)

        @rule(minutes=st.sampled_from([1, outbox.SENDING_MINUTES, claims.LEASE_MINUTES, 26 * 60]))
        def time_passes(self, minutes):
            runner.run(crm.pass_time(minutes))

        @rule(minutes=st.sampled_from([1, 60, 26 * 60]))
        def the_clock_is_set_back(self, minutes):
            runner.run(crm.pass_time(-minutes))

        @rule(remembers=st.booleans(), keyed=st.booleans())
        def the_provider_can_be_asked_or_not(self, remembers, keyed):
            provider.remembers, provider.keyed = remembers, keyed

        @rule(number=NUMBER, kind=st.sampled_from(KINDS), again=st.booleans())
        def the_provider_tells(self, number, kind, again):
            """Of a mail that it has, in any order; what it told before it may tell again."""
            if self.told and again:
                assert not runner.run(inbox.record_event(pick(self.told, number)))
            elif provider.handed_over:
                runner.run(self.tell(pick(sorted(provider.handed_over), number), kind))

        async def tell(self, mail, kind):
            event = ProviderEvent(
                provider="fake", event_id=str(uuid4()), email_id=mail, kind=kind, happened_at=datetime.now(UTC)
            )
            self.told.append(event)
            assert await inbox.record_event(event)
            [found] = await crm.fetch("select state, delivery, recipient from followups.emails where id = %s", mail)
            gravest = max((one.kind for one in self.told if one.email_id == mail), key=lambda one: GRAVITY.get(one, 0))
            self.expected.told(mail, kind, found.pop("recipient"))
            assert found == {"state": "sent", "delivery": gravest if gravest in GRAVITY else "none"}

        @rule()
        def two_sweeps_at_once(self):
            provider.answer = "accepted"

            async def both():
                await asyncio.gather(crm.sweep(), crm.sweep())

            runner.run(both())

        @rule(number=NUMBER, paused=st.booleans(), leaves=st.integers(0, 5))
        def somebody_changes_their_mind(self, number, paused, leaves):
            runner.run(self.pause(paused=paused))
            if leaves == 0:
                client = pick(self.clients, number)
                runner.run(
                    crm.execute("update followups.clients set email_unsubscribed = true where id = %s", client.id)
                )
                self.expected.closed.add(client.email)

        async def pause(self, *, paused):
            await agents.pause(self.agent.id, paused=paused)
            self.expected.paused = paused

        @rule(approving=st.booleans())
        def the_agent_wants_to_see_its_mails_or_not(self, approving):
            mode = AgentProfile(send_mode="approve" if approving else "automatic")
            runner.run(agents.change(self.agent.id, mode))
            self.expected.approving = approving

        @rule(number=NUMBER)
        def the_agent_approves(self, number):
            kept = {client.id for client in self.clients}
            waiting = runner.run(
                crm.fetch("select id, client_id from followups.emails where state = 'held' order by id")
            )
            assert {row["id"] for row in waiting} <= self.expected.held
            assert {row["client_id"] for row in waiting} <= kept, "a deleted client's mail waits for nobody"
            if waiting:
                runner.run(self.approve(pick(waiting, number)["id"]))

        async def approve(self, mail):
            await editing.approve(self.agent.id, mail)
            self.expected.held.discard(mail)
            self.expected.approved.add(mail)

        @rule(number=NUMBER)
        def another_task(self, number):
            runner.run(crm.task(pick(self.clients, number)))

        @rule(number=NUMBER, deleted=st.integers(0, 3))
        def a_client_is_deleted(self, number, deleted):
            if len(self.clients) > 1 and deleted == 0:
                client = self.clients.pop(number % len(self.clients))
                runner.run(clients.delete(self.agent.id, [client.id]))
                self.expected.closed.add(client.email)
                self.expected.deleted.add(client.email)

        @invariant()
        def nothing_is_handed_over_twice(self):
            assert all(count == 1 for count in provider.handed_over.values()), provider.handed_over

        def teardown(self):
            runner.run(self.come_to_rest())

        async def come_to_rest(self):
            """Everything works again; each mail is where it must be, and then whatever waits for a person goes on."""
            await self.pause(paused=False)
            await agents.change(self.agent.id, AgentProfile(send_mode="automatic"))
            self.expected.approving = False
            provider.answer = "accepted"
            await self.all_that_is_due_goes_out()
            await self.each_is_where_it_must_be()
            waiting = await crm.fetch("select id, state from followups.emails where state in ('held', 'unknown')")
            for row in waiting:
                await self.a_person_decides(row)
            if waiting:
                await self.all_that_is_due_goes_out()
                await self.each_is_where_it_must_be()
            assert not self.expected.maybe

        async def all_that_is_due_goes_out(self):
            waiting = (
                "select count(*) as n from followups.tasks t left join followups.emails e on e.task_id = t.id"
                " where t.status = 'pending' and coalesce(e.state, '') not in ('unknown', 'held')"
            )
            for _ in range(40):
                await crm.pass_time(26 * 60)
                await crm.execute("update followups.tasks set scheduled_for = now() where status = 'pending'")
                await crm.sweep()
                if not (await crm.fetch(waiting))[0]["n"]:
                    break
            assert not await claims.anything_due()

        async def a_person_decides(self, row):
            mail = row["id"]
            if row["state"] == "held":
                await self.approve(mail)
            elif provider.handed_over[mail]:
                await unknown.resolve(mail, handed_over=True)
                self.expected.answered(mail, "accepted", repeated=True)
            else:
                await unknown.resolve(mail, handed_over=False)
                self.expected.maybe.discard(mail)

        async def each_is_where_it_must_be(self):
            shown = {one.id for one in await unknown.listed(after=0, limit=100)}
            for row in await crm.fetch(MAILS):
                state = self.expected.state(row["id"], row["address"])
                assert row["state"] == state, row
                assert (row["id"] in shown) == (state == "unknown"), row
                handed_over = provider.handed_over[row["id"]]
                assert handed_over in {"sent": (1,), "unknown": (0, 1)}.get(str(state), (0,)), row
                ends = {"sent": ["completed"], "failed": ["skipped"], "unknown": ["pending"], "held": ["pending"]}
                cancelled = state not in ends or (state != "sent" and row["address"] in self.expected.deleted)
                assert row["status"] in [*ends.get(str(state), []), *(["cancelled"] if cancelled else [])], row
                assert row["reason"] or row["status"] not in ("skipped", "cancelled"), row

    return Sending


def test_each_task_is_handed_over_at_most_once_and_none_is_dropped(crm, monkeypatch):
    # With it no step becomes too late: what must be sent does not depend on how long the machine lets time pass.
    monkeypatch.setenv("FOLLOWUPS_LATEST_HOURS", "2160")
    forget_settings()
    run(crm, monkeypatch, max_examples=30)


def run(crm, monkeypatch, max_examples):
    provider = Provider()
    begin = outbox.begin

    async def watched(claim, through):
        found = await begin(claim, through)
        provider.expected.began(claim.email_id, found)
        return found

    async def no_alert(_):
        pass

    monkeypatch.setattr(outbox, "begin", watched)
    monkeypatch.setattr(steps, "sender", lambda: provider)
    monkeypatch.setattr(steps.alerts, "alert_unknown", no_alert)
    monkeypatch.setattr(brakes, "FEWEST_COMPLAINTS", 10**6)  # they have tests of their own, and would stop all
    with asyncio.Runner() as runner:
        try:
            run_state_machine_as_test(
                machine(runner, crm, provider),
                settings=settings(
                    max_examples=max_examples,
                    stateful_step_count=20,
                    deadline=None,
                    # Each step asks a database: a failure is shown as it was found, and not after minutes.
                    phases=(Phase.explicit, Phase.reuse, Phase.generate),
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                ),
            )
        finally:
            runner.run(close_pools())
